"""Sentences of families of models, and their Chinese.

The key is the template of the English sentence, `{0}` for its first value; `sentences` tells how
it is found. PHRASES stand inside sentences.
"""

# fmt: off
SENTENCES = {
    # families/__init__.py
    "There is no base model `{0}`.": "没有基础模型 `{0}`。",
    "`{0}` describes a model of the kind `{1}`, which ocrtune cannot use.":
        "`{0}` 是 `{1}` 类型的模型，ocrtune 不能使用。",
    "Use a model of one of these kinds: {0}, or another one that transformers lists under "
    "image-text-to-text.":
        "请使用这些类型之一的模型：{0}，或 transformers 列在 image-text-to-text 下的其他模型。",
    "There is no preset `{0}`.": "没有预设 `{0}`。",
    "Use one of {0}, a folder that exists, or a Hub repo id like `name/model`.":
        "请使用 {0} 之一、已有的文件夹，或 `name/model` 形式的 Hub 仓库名。",
    "`{0}` does not describe a model.": "`{0}` 描述的不是模型。",
    "Copy it from the base model.": "请从基础模型复制。",
    "`{0}` holds no readable `config.json`.": "`{0}` 里没有可读取的 `config.json`。",
    "Name a folder with a whole model: config.json, tokenizer.json and *.safetensors.":
        "请指定有完整模型的文件夹：config.json、tokenizer.json 和 *.safetensors。",
    # families/adapter_files.py
    "Choose another adapter, or train one with ocrtune.":
        "请选择另一个适配器，或用 ocrtune 训练一个。",
    "The adapter is of the kind {0}, not LoRA.": "这个适配器的类型是 {0}，不是 LoRA。",
    "The adapter uses `{0}`, which ocrtune does not know.":
        "这个适配器用到了 ocrtune 不认识的 `{0}`。",
    "The adapter changes `{0}`, which this kind of model does not have.":
        "这个适配器要改动 `{0}`，而这类模型没有它。",
    "The adapter changes `{0}`, which this model does not have.":
        "这个适配器要改动 `{0}`，而这个模型没有它。",
    "It belongs to another base model, or another program has named the parts of this one "
    "otherwise: load the model it was trained on.":
        "它属于另一个基础模型，或者别的程序给这个模型的各部分起了别的名称：请加载训练它时用的模型"
        "。",
    "The adapter's weights of `{0}` have another shape than the model's.":
        "适配器里 `{0}` 的权重与模型的形状不同。",
    "It belongs to another base model: load that one, or train the adapter again.":
        "它属于另一个基础模型：请加载那一个，或重新训练适配器。",
    "The adapter was trained on `{0}`, but the base model is `{1}`.":
        "这个适配器是在 `{0}` 上训练的，而基础模型是 `{1}`。",
    "Load the base model it was trained on, or train it again.":
        "请加载训练它时用的基础模型，或重新训练。",
    "The adapter `{0}` has no {1}.": "适配器 `{0}` 没有 {1}。",
    "The run did not finish: train it again.": "训练没有完成：请重新训练。",
    "The adapter `{0}` cannot be read: {1}.": "适配器 `{0}` 无法读取：{1}。",
    "Copy it again, or train it again.": "请重新复制，或重新训练。",
    "The adapter's `{0}` holds {1}, not fractions.": "适配器的 `{0}` 里是 {1}，而不是小数。",
    "The adapter's `{0}` holds values that are no numbers (NaN or infinite).":
        "适配器的 `{0}` 里有不是数字的值（NaN 或无穷大）。",
    "It is damaged: copy it again, or choose another adapter.":
        "它已损坏：请重新复制，或选择另一个适配器。",
    "The adapter has weights `{0}`, which are none of LoRA layers.":
        "适配器里的权重 `{0}` 不属于 LoRA 层。",
    "`{0}` holds no readable {1}.": "`{0}` 里没有可读取的 {1}。",
    "Name the `adapter` folder that `ocrtune train` wrote.":
        "请指定 `ocrtune train` 写出的 `adapter` 文件夹。",
    # families/digests.py
    "`{0}` holds no weights in *.safetensors.": "`{0}` 里没有 *.safetensors 权重。",
    "Other formats can run code when they are opened, and are never read.":
        "其他格式打开时可能运行代码，因此绝不读取。",
    # families/image_text.py
    "A picture of {0} x {1} pixels cannot be shown to `{2}`: {3}.":
        "{0} x {1} 像素的图片无法给 `{2}` 看：{3}。",
    "Cut it or scale it, so that it shows one line or one page.":
        "请裁剪或缩放，让它只显示一行或一页。",
    # families/image_text_files.py
    "Copy the model again, with all its .json and .jinja files.":
        "请重新复制模型，包括全部 .json 和 .jinja 文件。",
    "transformers {0} cannot prepare pictures for `{1}`.":
        "transformers {0} 不能为 `{1}` 准备图片。",
    "Some kinds need torchvision: install it, or use a model of another kind.":
        "有些类型需要 torchvision：请安装它，或使用其他类型的模型。",
    "`{0}` knows one prompt only.": "`{0}` 只认识一种提示词。",
    "Leave the prompt out.": "请去掉提示词。",
    "`{0}` holds no tokenizer.json.": "`{0}` 里没有 tokenizer.json。",
    "The chat template of `{0}` gives the picture no place of its own.":
        "`{0}` 的对话模板没有给图片留位置。",
    "Use a model of another kind.": "请使用其他类型的模型。",
    "The tokenizer in `{0}` names no end of a text.": "`{0}` 里的分词器没有说明文字的结尾。",
    "`{0}` describes no model that transformers {1} knows: {2}.":
        "`{0}` 描述的不是 transformers {1} 认识的模型：{2}。",
    "A model of the type `{0}` does not turn pictures into text.":
        "`{0}` 类型的模型不能把图片变成文字。",
    "Use one that transformers lists under image-text-to-text.":
        "请使用 transformers 列在 image-text-to-text 下的模型。",
    "The tokenizer in `{0}` is damaged: {1}.": "`{0}` 里的分词器已损坏：{1}。",
    "The processor of `{0}` cannot be made: {1}.": "无法建立 `{0}` 的处理器：{1}。",
    "The chat template of `{0}` cannot be used: {1}.": "`{0}` 的对话模板无法使用：{1}。",
    # families/loaded.py
    "A picture of {0} x {1} pixels is too thin to be read.": "{0} x {1} 像素的图片太细，无法识别。",
    "Cut it so that it shows one line or one page.": "请裁剪，让它只显示一行或一页。",
    "`{0}` has no layout `{1}`.": "`{0}` 没有布局 `{1}`。",
    "The text {0} holds a token that steers the model.": "文字 {0} 里有控制模型的词元。",
    "Change that place, or leave the sample out.": "请修改那一处，或略去这个样本。",
    "`{0}` has no token `{1}`.": "`{0}` 没有词元 `{1}`。",
    "Choose a prompt without it.": "请选择不含它的提示词。",
    # families/loading.py
    "`{0}` has no mixture of experts.": "`{0}` 没有混合专家层。",
    "Leave `lora_experts` out.": "请去掉 `lora_experts`。",
    "Adapters on the experts cannot have dropout.": "专家层上的适配器不能用 dropout。",
    "Set `lora_dropout` to 0 or leave `lora_experts` out.":
        "请把 `lora_dropout` 设为 0，或去掉 `lora_experts`。",
    "The model carries an adapter already.": "模型上已经有一个适配器。",
    "Load the base model again.": "请重新加载基础模型。",
    "The contract of the {0} has the layout `{1}` and the prompt {2}, which `{3}` cannot follow.":
        "{0}的契约要求布局 `{1}` 和提示词 {2}，`{3}` 做不到。",
    "It was written by another version of ocrtune: train the adapter again.":
        "它是由另一版本的 ocrtune 写的：请重新训练适配器。",
    "The checkpoint holds {0} weights, the model's adapter {1}.":
        "存档里有 {0} 个权重，模型的适配器有 {1} 个。",
    "It was saved with other settings or by another version: compare `RUN/adapter`.":
        "它是用别的设置或别的版本保存的：请对比 `RUN/adapter`。",
    "No adapter can be called {0}.": "适配器不能叫 {0}。",
    "Use a word, such as `first`.": "请用一个单词，例如 `first`。",
    "No adapter `{0}` is loaded.": "没有加载适配器 `{0}`。",
    "Load it first; there is: {0}.": "请先加载它；现有：{0}。",
    "The weights of {0} have another shape than the model's.": "{0}的权重与模型的形状不同。",
    "The adapter was trained on `{0}` ({1}), but the base model is `{2}` ({3}).":
        "这个适配器是在 `{0}`（{1}）上训练的，而基础模型是 `{2}`（{3}）。",
    "The layers of `{0}` cannot get adapters: {1}": "`{0}` 的层不能加适配器：{1}",
    # families/page_layouts.py
    "Layout `{0}`, the usual one: no picture's size could be read.":
        "布局 `{0}`，即通常的布局：没有一张图片的大小能读出来。",
    "{0}. The text of {1} % stays too small or too dense even so: cut those pictures in parts.":
        "{0}。即便如此，仍有 {1} % 的文字太小或太密：请把那些图片裁成几部分。",
    # families/prompts.py
    "Use one of {0}, or a text.": "请使用 {0} 之一，或一段文字。",
    "Write a whole text.": "请写一段完整的文字。",
    "`{0}` has no prompt `{1}`.": "`{0}` 没有提示词 `{1}`。",
    "The prompt `{0}` needs to know what to look for.": "提示词 `{0}` 需要知道要找什么。",
    "Write `{0}: some words`.": "请写成 `{0}: 一些文字`。",
    "The prompt is empty.": "提示词是空的。",
    "Leave it out, or write what to do.": "请去掉它，或写明要做什么。",
    "The prompt holds `{0}` {1} times.": "提示词里有 {1} 个 `{0}`。",
    "One picture is read at a time.": "一次只识别一张图片。",
    "The prompt holds `{0}`, a token that steers the model.": "提示词里有控制模型的词元 `{0}`。",
    "Take it out.": "请把它去掉。",
    "The prompt `{0}` has no blank for {1}.": "提示词 `{0}` 没有填写 {1} 的位置。",
    "Use `{0}` alone.": "请单独使用 `{0}`。",
    # families/weights.py
    "The keys of {0} do not fit the model: {1}.": "{0}的键与模型不符：{1}。",
    "It is damaged or belongs to another model: copy it again, or train the adapter again.":
        "它已损坏，或属于另一个模型：请重新复制，或重新训练适配器。",
    "`{0}` knows no `{1}`.": "`{0}` 不认识 `{1}`。",
    "Take the tokenizer of a DeepSeek-OCR model.": "请使用 DeepSeek-OCR 模型的分词器。",
    "`{0}` is damaged: {1}.": "`{0}` 已损坏：{1}。",
    "Copy it again.": "请重新复制。",
    "`{0}` does not describe a DeepSeek-OCR model.": "`{0}` 描述的不是 DeepSeek-OCR 模型。",
    "Only models with DeepSeek-OCR's own config.json can be used.":
        "只能使用带有 DeepSeek-OCR 自己的 config.json 的模型。",
    "`{0}` does not fit into the memory of {1}.": "`{0}` 放不进 {1} 的内存。",
    "Close other programs that use it, or choose a smaller model.":
        "请关闭其他占用它的程序，或选择更小的模型。",
    "The weights in `{0}` cannot be loaded: {1}.": "`{0}` 里的权重无法加载：{1}。",
    "Compare its config.json with its *.safetensors, or copy the model again.":
        "请核对它的 config.json 和 *.safetensors，或重新复制模型。",
}
PHRASES = {
    "its settings are no table": "它的设置不是一张表",
    "its rank is {0}": "它的秩是 {0}",
    "its `lora_alpha` is {0}": "它的 `lora_alpha` 是 {0}",
    "its `target_parameters` are no list of names": "它的 `target_parameters` 不是名称列表",
    "its `target_modules` are no list of names": "它的 `target_modules` 不是名称列表",
    "the weights in `{0}`": "`{0}` 里的权重",
    "adapter `{0}`": "适配器 `{0}`",
    "the adapter `{0}`": "适配器 `{0}`",
    "the export `{0}`": "导出的模型 `{0}`",
    "{0} missing (such as `{1}`)": "缺少 {0} 个（例如 `{1}`）",
    "{0} unexpected (such as `{1}`)": "多出 {0} 个（例如 `{1}`）",
    "Layout `{0}`, chosen for {1} pictures of about {2} x {3} pixels: {4} image tokens a picture":
        "布局 `{0}`，适合 {1} 张大约 {2} x {3} 像素的图片：每张图片 {4} 个图像词元",
    "Layout `{0}`, chosen for {1} pictures of about {2} x {3} pixels: {4} image tokens a "
    "picture, the text stays legible.":
        "布局 `{0}`，适合 {1} 张大约 {2} x {3} 像素的图片：每张图片 {4} 个图像词元，文字仍然清晰"
        "。",
    "Layout `{0}`, chosen for {1} pictures of about {2} x {3} pixels: {4} image tokens a "
    "picture, the text stays legible ({5} would be no clearer to the model).":
        "布局 `{0}`，适合 {1} 张大约 {2} x {3} 像素的图片：每张图片 {4} 个图像词元，文字仍然清晰"
        "（{5}对模型来说并不更清楚）。",
    "Layout `{0}`, chosen for {1} pictures of about {2} x {3} pixels: {4} image tokens a "
    "picture, the text stays legible; too small, dense or stretched in {5}.":
        "布局 `{0}`，适合 {1} 张大约 {2} x {3} 像素的图片：每张图片 {4} 个图像词元，文字仍然清晰"
        "；{5}会使文字太小、太密或变形。",
    "Layout `{0}`, chosen for {1} pictures of about {2} x {3} pixels: {4} image tokens a "
    "picture, the text stays legible ({5} would be no clearer to the model); too small, dense "
    "or stretched in {6}.":
        "布局 `{0}`，适合 {1} 张大约 {2} x {3} 像素的图片：每张图片 {4} 个图像词元，文字仍然清晰"
        "（{5}对模型来说并不更清楚）；{6}会使文字太小、太密或变形。",
    "`{0}` with {1}": "`{0}`（{1} 个）",
}
