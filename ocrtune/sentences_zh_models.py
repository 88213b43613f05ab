"""Sentences of training and its settings, and their Chinese.

The key is the template of the English sentence, `{0}` for its first value; `sentences` tells how
it is found. PHRASES stand inside sentences.
"""

# fmt: off
SENTENCES = {
    # checkpoints.py
    "Resume it with what it was started with, or start a new run in another folder.":
        "请用开始时的设置继续，或在另一个文件夹重新训练。",
    "`{0}` holds no checkpoint: the run has finished, or it had not yet saved one.":
        "`{0}` 里没有存档：训练已经结束，或还没来得及存档。",
    "Start a new run, without `--resume`.": "请不带 `--resume` 重新开始训练。",
    "The checkpoint was made with other pictures or texts.":
        "这个存档是用别的图片或文字训练出来的。",
    "The checkpoint cannot be written to `{0}`: {1}.": "存档无法写入 `{0}`：{1}。",
    "Make room on the disk.": "请清理磁盘空间。",
    "The checkpoint `{0}` is damaged: {1}.": "存档 `{0}` 已损坏：{1}。",
    "Start the run again.": "请重新开始训练。",
    "The checkpoint was made with another {0}: {1}.": "这个存档用的是另一个{0}：{1}。",
    "Compare another one.": "请对比另一个。",
    "`{0}` was {1}, is {2}": "`{0}` 原为 {1}，现为 {2}",
    # config.py
    "Splits {0}/{1}/{2} are impossible.": "不能按 {0}/{1}/{2} 划分。",
    "Use for example 0.8 and 0.1: the test split gets the remaining 0.1.":
        "例如用 0.8 和 0.1：剩下的 0.1 归测试集。",
    "There is no shape of ground truth `{0}`.": "没有名为 `{0}` 的文字形式。",
    "Use one of: {0}.": "请使用其中之一：{0}。",
    "`rows` is {0}.": "`rows` 是 {0}。",
    "Use 0 or more; 0 takes all.": "请用 0 或更大的数；0 表示全部。",
    "`most` is {0}.": "`most` 是 {0}。",
    "`steps` is {0}.": "`steps` 是 {0}。",
    "Use 1 or more; 60 is a good start.": "请用 1 或更大的数；60 是好的起点。",
    "`batch_size` is {0}.": "`batch_size` 是 {0}。",
    "Use 1 or more.": "请用 1 或更大的数。",
    "`lora_rank` is {0}.": "`lora_rank` 是 {0}。",
    "Use 8, 16 or 32.": "请用 8、16 或 32。",
    "`lora_alpha` is {0}.": "`lora_alpha` 是 {0}。",
    "Use the rank.": "请用与秩相同的数。",
    "`lora_dropout` is {0}.": "`lora_dropout` 是 {0}。",
    "Use a share below 1, such as 0.05.": "请用小于 1 的比例，例如 0.05。",
    "`fraction` is {0}.": "`fraction` 是 {0}。",
    "Use a share of the train split, such as 0.5; 1 takes all of it.":
        "请用训练集的一个比例，例如 0.5；1 表示全部。",
    "The shares {0} are impossible.": "比例 {0} 不可用。",
    "Use numbers above 0 and up to 1, such as 0.25 0.5 1.":
        "请用大于 0、不超过 1 的数，例如 0.25 0.5 1。",
    "There is no curve on the split `{0}`.": "不能在 `{0}` 上画曲线。",
    "Use test or validation.": "请用 test 或 validation。",
    "`draws` is {0}.": "`draws` 是 {0}。",
    "Use 100 or more.": "请用 100 或更大的数。",
    "There is no page in the language `{0}`.": "没有语言 `{0}` 的页面。",
    "Use en or zh.": "请用 en 或 zh。",
    "No picture was given.": "没有给出图片。",
    "Name at least one picture.": "请至少指定一张图片。",
    "Reading with both models needs an adapter.": "用两个模型识别时，需要一个适配器。",
    "Name one with `--adapter RUN/adapter`.": "请用 `--adapter RUN/adapter` 指定一个。",
    "{0} `names` were given for {1} adapters and checkpoints.":
        "给出了 {0} 个 `names`，而适配器和存档有 {1} 个。",
    "Give each of them one, or none any.": "请给每一个都起名，或都不起名。",
    "`leave_out_seen` is {0}.": "`leave_out_seen` 是 {0}。",
    "Use no, pictures or all.": "请用 no、pictures 或 all。",
    "`suspects` is {0}.": "`suspects` 是 {0}。",
    "Use 0 or more.": "请用 0 或更大的数。",
    "There is no split `{0}`.": "没有集合 `{0}`。",
    "Use train, validation or test.": "请用 train、validation 或 test。",
    "There is no report in the language `{0}`.": "没有语言 `{0}` 的报告。",
    "`lines` is {0}.": "`lines` 是 {0}。",
    "Use 0 or more; 0 reads all.": "请用 0 或更大的数；0 表示全部识别。",
    "There is no 16-bit type `{0}`.": "没有 16 位类型 `{0}`。",
    "Use bfloat16 or float16.": "请用 bfloat16 或 float16。",
    "`{0}` is no name for a dataset on the Hub.": "`{0}` 不能作为 Hub 上数据集的名称。",
    "Use the form `USER/NAME`, with letters, digits, `-`, `_` and `.`.":
        "请使用 `用户名/名称` 的形式，只用字母、数字、`-`、`_` 和 `.`。",
    "`{0}` is no licence as the Hub names them.": "`{0}` 不是 Hub 所用的许可证名称。",
    "Use for example mit, apache-2.0 or cc-by-4.0.": "例如用 mit、apache-2.0 或 cc-by-4.0。",
    "Example readings come from a comparison.": "识别示例来自对比。",
    "Name its folder with `--report`.": "请用 `--report` 指定它的文件夹。",
    "Use {0}.": "请使用 {0}。",
    "`{0}` does not say whose texts they are.": "`{0}` 没有说明是谁的文字。",
    "Give a name and a folder or table: `--texts tesseract=out/`.":
        "请给出名称和文件夹或表格：`--texts tesseract=out/`。",
    "`{0}` is no code of a language.": "`{0}` 不是语言代码。",
    "Use two or three small letters, such as zh, en or lzh.":
        "请用两三个小写字母，例如 zh、en 或 lzh。",
    "`{0}` does not name a {1} of the Hub.": "`{0}` 不是 Hub 上的{1}名称。",
    "Use the form USER/NAME.": "请使用 用户名/名称 的形式。",
    "Write it again.": "请重新写入。",
    "Known are: {0}.": "已知的有：{0}。",
    "`{0}` holds an unknown setting `{1}`.": "`{0}` 里有未知的设置 `{1}`。",
    # engines.py
    "Engine: transformers with ocrtune's kernels, which was faster than Unsloth on every path "
    "measured (`python -m ocrtune bench train`).":
        "引擎：transformers 加 ocrtune 自己的内核，在测过的每种情况下都比 Unsloth 快（`python -m "
        "ocrtune bench train`）。",
    "Engine: Unsloth, as asked; compiled, {0}.": "引擎：按要求使用 Unsloth；编译，{0}。",
    "Engine: Unsloth, as asked; not compiled, {0}.": "引擎：按要求使用 Unsloth；不编译，{0}。",
    "Install requirements.txt on a machine with a GPU, or leave `--engine` out.":
        "请在有 GPU 的机器上安装 requirements.txt，或去掉 `--engine`。",
    "Engine: transformers, as asked.": "引擎：按要求使用 transformers。",
    "Only the engine `unsloth` compiles; ours records its kernels instead.":
        "只有引擎 `unsloth` 会编译；我们的引擎改为记录内核。",
    "Add `--engine unsloth`, or leave `--compile` out.":
        "请加上 `--engine unsloth`，或去掉 `--compile`。",
    "Unsloth cannot be imported: {0}.": "无法导入 Unsloth：{0}。",
    "Unsloth cannot run here: {0}.": "Unsloth 在这里无法运行：{0}。",
    # examples.py
    "{0} {1} of the ground truth: {2}": "正确文字中的 {0} {1}：{2}",
    "{0} of {1} samples are left out.": "{1} 个样本中略过了 {0} 个。",
    "None of the {0} samples of the train split has a text to learn.":
        "训练集的 {0} 个样本都没有可学的文字。",
    "Add ground truth that the model can write, and build the dataset again.":
        "请补充模型写得出的正确文字，再重新生成数据集。",
    "`{0}` cannot write {1}. The rest is learned.": "`{0}` 写不出{1}。其余的照常学习。",
    "`{0}`: its text takes {1} tokens, and `{2}` writes at most {3} for one picture. Cut the "
    "picture in parts.":
        "`{0}`：它的文字要用 {1} 个词元，而 `{2}` 一张图片最多写 {3} 个。请把图片裁成几部分。",
    # features.py
    "The picture cannot be decoded.": "图片无法解码。",
    "Save it as PNG or JPEG.": "请存为 PNG 或 JPEG。",
    "The features are kept in memory only: {0}.": "图片特征只保存在内存里：{0}。",
    # hardware.py
    "{0} CPU cores, {1}": "{0} 个处理器核心，{1}",
    # learner.py
    "The picture `{0}` of the train split cannot be used.": "训练集里的图片 `{0}` 无法使用。",
    "Build the dataset again.": "请重新生成数据集。",
    "The loss is {0} at step {1}: the weights ran away.": "第 {1} 步的损失是 {0}：权重已失控。",
    "Train again with a smaller rate: `--learning-rate {0}`.":
        "请用更小的学习率重新训练：`--learning-rate {0}`。",
    "The checkpoint was made with {0}, but this machine uses {1}.":
        "这个存档是用 {0} 训练的，而这台机器用的是 {1}。",
    "Resume on the same kind of machine, or start a new run.":
        "请在同类机器上继续，或重新开始训练。",
    "Memory is short: {0} samples at a time from now on.":
        "内存不足：从现在起每次处理 {0} 个样本。",
    "The optimizer `adamw-8bit` needs bitsandbytes, which cannot be loaded.":
        "优化器 `adamw-8bit` 需要 bitsandbytes，而它无法加载。",
    "Install requirements.txt, or use `--optimizer adamw`.":
        "请安装 requirements.txt，或用 `--optimizer adamw`。",
    # preflight.py
    "The pictures' features need {0} on disk under the layout `{1}`, and `{2}` has room for {3}.":
        "在布局 `{1}` 下，图片特征需要 {0} 磁盘空间，而 `{2}` 只有 {3}。",
    "Choose a smaller `--layout`, or set OCRTUNE_HOME to a larger disk.":
        "请选择更小的 `--layout`，或让 OCRTUNE_HOME 指向更大的磁盘。",
    # records.py
    "The contract has missing or unknown entries: {0}.": "契约里有缺少或未知的条目：{0}。",
    # training.py
    "Fine-tuning `{0}` on {1} samples for {2} steps of {3}: {4} passes over them, measured on "
    "{5} others. {6} weights learn, in {7}.":
        "在 {1} 个样本上微调 `{0}`，{2} 步，每步 {3} 个：共看 {4} 遍，用另外 {5} 个样本测量。学习"
        "的权重有 {6} 个，位于{7}。",
    "The run was planned for {0} steps and now takes {1}.": "训练原计划 {0} 步，现在为 {1} 步。",
    "{0} From here on the learning rate is that of a run of {1} steps.":
        "{0}从这里起，学习率按 {1} 步的训练变化。",
    "{0}, whose layers, prompt and layout it keeps.": "{0}，并沿用它的层、提示词和布局。",
    "The CER is measured {0} times: `--early-stop {1}` can end nothing. Measure more often with "
    "`--evaluate-every`.":
        "CER 只测 {0} 次：`--early-stop {1}` 不会起作用。请用 `--evaluate-every` 测得更频繁。",
    "{0} CER on the validation sample, {1} {2}": "验证样本的 CER 为 {0}，{1}为 {2}",
    "The adapter holds the weights of step {0} of {1}: {2}.":
        "适配器保存的是第 {0} 步（共 {1} 步）的权重：{2}。",
    "It was trained under another contract: {0}.": "它是在另一种契约下训练的：{0}。",
    "Without a validation split there is no CER that could end the run early.":
        "没有验证集，就没有可用来提前结束训练的 CER。",
    "Stopped after step {0}; the adapter holds the weights of that moment, and `--resume` goes "
    "on from there.":
        "在第 {0} 步之后停止；适配器保存的是那一刻的权重，用 `--resume` 可以从那里继续。",
    "The run ended after step {0} of {1}: {2} measurements in a row brought no better CER.":
        "训练在第 {0} 步（共 {1} 步）之后结束：连续 {2} 次测量的 CER 都没有变好。",
    "The adapter holds the weights of step {0}, the last one.":
        "适配器保存的是最后一步（第 {0} 步）的权重。",
    "The tuned model reads no better than {0} ({1}). More samples or more steps may help.":
        "微调模型并不比{0}（{1}）读得好。更多样本或更多步数可能有帮助。",
    "The run was planned for {0} steps; {1} are fewer.": "训练原计划 {0} 步，{1} 步更少。",
    "Leave `--steps` out, or give more.": "请去掉 `--steps`，或给更大的数。",
    "The accelerator's memory is too small even for one sample at a time.":
        "显存太小，连一次处理一个样本都不够。",
    "Choose a layout with fewer tokens, cut the longest picture in parts, use a smaller "
    "`--lora-rank`, or end other programs that use the accelerator.":
        "请选择词元更少的布局，把最长的图片裁成几部分，用更小的 `--lora-rank`，或结束其他占用显卡"
        "的程序。",
    "The run goes on after step {0} of {1}.": "训练从第 {0} 步（共 {1} 步）之后继续。",
    "{0} The run goes on without it.": "{0}训练会在没有它的情况下继续。",
    # validation.py
    "Stopped while the CER was measured.": "在测量 CER 时停止。",
}
PHRASES = {
    "base model": "基础模型",
    "the base model": "基础模型",
    "the tuned model": "微调模型",
    "the text model": "文本模型",
    "its experts": "专家层",
    "vision": "视觉部分",
    "train": "训练集",
    "validation": "验证集",
    "test": "测试集",
    "the {0}": "{0}",
    "as asked": "按要求",
    "{0} steps repay it": "{0} 步值得这样做",
    "{0} steps do not repay it": "{0} 步不值得这样做",
    "character": "个字符",
    "characters": "个字符",
    "{0} {1} of the ground truth: {2}, {3} more": "正确文字中的 {0} {1}：{2}，另有 {3} 个",
    "The run begins with the weights of `{0}`": "训练从 `{0}` 的权重开始",
    "{0} CER on the validation sample, base model {1}": "验证样本的 CER 为 {0}，基础模型为 {1}",
    "the folder": "文件夹",
    "{0}: {1} here, {2} there": "{0}：这里是 {1}，那里是 {2}",
    "The adapter": "适配器",
    ", which is kept:": "，并沿用：",
    "its results are wrong.": "它的计算结果有误。",
}
