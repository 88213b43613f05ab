"""The words of a dataset's report in both languages: warnings on texts, their kinds, advice."""

WARNING_WORDS = {
    "text_control": (
        "The text holds control characters, which no picture shows: {characters}.",
        "文字中有图片上看不到的控制字符：{characters}。",
    ),
    "text_private": (
        "The text holds characters without a common meaning: {characters}. Only one font knows "
        "them.",
        "文字中有私用或未定义的字符：{characters}，只有特定字体认识它们。",
    ),
    "text_invisible": (
        "The text holds characters without a width: {characters}.",
        "文字中有不占宽度的隐形字符：{characters}。",
    ),
    "text_bidi": (
        "The text holds invisible marks of the writing direction: {characters}.",
        "文字中有看不见的书写方向标记：{characters}。",
    ),
    "text_replacement": (
        "The text holds a sign for a character that was lost: {characters}.",
        "文字中有表示字符已丢失的替代符：{characters}。",
    ),
    "text_special": (
        "The text holds `{found}`, a special word of models, not something to read.",
        "文字中有 `{found}`，这是模型的特殊标记，不是图片上的文字。",
    ),
    "text_markup": (
        "The text holds `{found}`: markup that is probably not on the picture.",
        "文字中有 `{found}`：这种标记多半不在图片上。",
    ),
    "text_file_name": (
        "The text `{text}` looks like the name of a file.",
        "文字 `{text}` 看起来像文件名。",
    ),
    "text_edge_spaces": (
        "The text begins or ends with a space.",
        "文字开头或结尾有空格。",
    ),
    "text_double_spaces": ("The text holds several spaces in a row.", "文字中有连续的空格。"),
    "text_tab": (
        "The text holds {count} tabs: a separator was perhaps read as text.",
        "文字中有 {count} 个制表符：可能把分隔符当成了文字。",
    ),
    "text_odd_spaces": (
        "The text holds spaces of an unusual kind: {characters}.",
        "文字中有特殊的空格：{characters}。",
    ),
    "text_mixed_scripts": (
        "`{word}` mixes letters of two scripts that look alike: {characters}.",
        "`{word}` 混用了两种文字中外形相同的字母：{characters}。",
    ),
    "text_lookalike_word": (
        "`{word}` is written in letters that only look like the usual ones: {characters}.",
        "`{word}` 用的是外形相同、却属于另一种文字的字母：{characters}。",
    ),
    "text_lookalikes": (
        "The text holds characters that look like others: {characters}. Meant is probably {plain}.",
        "文字中有形近的异码字符：{characters}，多半应为 {plain}。",
    ),
    "text_decomposed": (
        "Accents are separate characters here (NFD); most of the other texts compose them (NFC).",
        "这里的附加符号是单独的字符（NFD），而其他文字多为合成形式（NFC）。",
    ),
    "text_composed": (
        "Accents are composed here (NFC); most of the other texts write them apart (NFD).",
        "这里的附加符号是合成形式（NFC），而其他文字多为分解形式（NFD）。",
    ),
    "text_full_width": (
        "Full-width characters ({characters}), which the other texts mostly write half-width.",
        "这里用了全角字符（{characters}），其他文字多用半角。",
    ),
    "text_half_width": (
        "Half-width characters ({characters}), which the other texts mostly write full-width.",
        "这里用了半角字符（{characters}），其他文字多用全角。",
    ),
    "text_mojibake": (
        "`{found}` was read in a wrong encoding: it was `{meant}`.",
        "`{found}` 是编码错误造成的乱码，原文是 `{meant}`。",
    ),
    "text_misread": (
        "`{found}` was read in a wrong encoding.",
        "`{found}` 是编码错误造成的乱码。",
    ),
    "text_long": (
        "{count} characters are very many for a picture of {width} x {height} pixels: is it the "
        "right one?",
        "{width} × {height} 像素的图片上有 {count} 个字符，明显过多：文字和图片对得上吗？",
    ),
    "text_short": (
        "{count} characters are very few for a picture of {width} x {height} pixels: is it the "
        "right one?",
        "{width} × {height} 像素的图片上只有 {count} 个字符，明显过少：文字和图片对得上吗？",
    ),
    "picture_two_texts": (
        "The same picture has another text as `{other}`.",
        "同一张图片在 `{other}` 中对应另一段文字。",
    ),
}
KIND_WORDS = {  # of warnings, for lists of counts: `kind_` and the key of the warning
    "kind_text_control": ("control characters", "控制字符"),
    "kind_text_private": ("private or undefined characters", "私用或未定义的字符"),
    "kind_text_invisible": ("characters without a width", "隐形字符"),
    "kind_text_bidi": ("invisible direction marks", "隐形方向标记"),
    "kind_text_replacement": ("lost characters", "丢失的字符"),
    "kind_text_special": ("special words of models", "模型特殊标记"),
    "kind_text_markup": ("markup", "标记代码"),
    "kind_text_file_name": ("file names", "像文件名"),
    "kind_text_edge_spaces": ("spaces at the ends", "首尾空格"),
    "kind_text_double_spaces": ("several spaces in a row", "连续空格"),
    "kind_text_tab": ("tabs", "制表符"),
    "kind_text_odd_spaces": ("unusual spaces", "特殊空格"),
    "kind_text_mixed_scripts": ("two scripts in a word", "单词混用两种文字"),
    "kind_text_lookalike_word": ("words in lookalike letters", "形近字母写成的词"),
    "kind_text_lookalikes": ("lookalike characters", "形近字符"),
    "kind_text_decomposed": ("accents written apart", "分解的附加符号"),
    "kind_text_composed": ("accents composed", "合成的附加符号"),
    "kind_text_full_width": ("full-width characters", "全角字符"),
    "kind_text_half_width": ("half-width characters", "半角字符"),
    "kind_text_mojibake": ("wrong encoding", "编码乱码"),
    "kind_text_misread": ("wrong encoding, beyond repair", "无法还原的乱码"),
    "kind_text_long": ("long for the picture", "文字过长"),
    "kind_text_short": ("short for the picture", "文字过短"),
    "kind_picture_two_texts": ("same picture, two texts", "同图异文"),
}
ADVICE_WORDS = {
    "advice_very_few": (
        "{count} samples: enough to see that everything works. 300 are a good start.",
        "{count} 个样本：只够验证流程，建议从 300 个开始。",
    ),
    "advice_few": (
        "{count} samples: enough to try, 300 would be better.",
        "{count} 个样本：可以一试，300 个会更好。",
    ),
    "advice_weak_test": (
        "The test split has {count} samples: a CER measured on them is a hint, no proof. 30 are "
        "the least.",
        "测试集只有 {count} 个样本：测出的 CER 只能参考，不能作为证明。至少要 30 个。",
    ),
    "advice_lines": (
        "Your pictures are lines of text, about {height} px high: the model `tiny` suits them and "
        "needs no GPU; `deepseek-ocr` reads them too.",
        "您的图片是单行文字，高约 {height} 像素：适合用 `tiny` 模型，不需要 GPU；"
        "`deepseek-ocr` 也能读。",
    ),
    "advice_lines_foreign": (
        "Your pictures are lines of text, about {height} px high, but the model `tiny` cannot "
        "write {share} % of their characters, such as {characters}: use `deepseek-ocr`.",
        "您的图片是单行文字，高约 {height} 像素，但 `tiny` 模型写不出其中 {share}% 的字符，"
        "例如 {characters}：请用 `deepseek-ocr`。",
    ),
    "advice_alphabet": (
        "Characters that the model `tiny` cannot write: {count} (in {samples} samples), "
        "{characters}. Use `deepseek-ocr` if they matter.",
        "`tiny` 模型写不出您的 {count} 种字符（涉及 {samples} 个样本）：{characters}。"
        "如果它们重要，请用 `deepseek-ocr`。",
    ),
    "advice_pages": (
        "Your pictures are pages, about {width} x {height} px: use `deepseek-ocr`. The model "
        "`tiny` reads single lines only.",
        "您的图片是整页，约 {width} × {height} 像素：请用 `deepseek-ocr`。`tiny` 模型只能读单行。",
    ),
    "advice_lines_and_pages": (
        "{lines} pictures are lines and {pages} are pages or blocks: `deepseek-ocr` reads both, "
        "the model `tiny` single lines only.",
        "{lines} 张图片是单行，{pages} 张是整页或段落：`deepseek-ocr` 都能读，`tiny` 只能读单行。",
    ),
    "advice_low_resolution": (
        "{count} lines are less than {least} px high (typical: {height} px): letters run together. "
        "Scan at 300 dpi, or cut the lines from larger pictures.",
        "{count} 行的高度不足 {least} 像素（一般为 {height} 像素）：笔画会粘连。"
        "请用 300 dpi 扫描，或从更大的图片裁剪。",
    ),
    "advice_unseen": (
        "Characters of the test split that never occur in train: {count} ({times} times in test), "
        "{characters}. No model can learn them from this dataset.",
        "测试集中有 {count} 种字符从未在训练集出现（在测试集中共 {times} 次）：{characters}。"
        "模型无法从这个数据集学会它们。",
    ),
    "advice_near_duplicates": (
        "{count} pairs of nearly the same picture stand in different splits, such as `{first}` and "
        "`{second}`: the CER will look better than it is. Remove one of each.",
        "有 {count} 对几乎相同的图片分在不同的集合中，例如 `{first}` 和 `{second}`："
        "CER 会显得比实际好。每对请删去一张。",
    ),
    "advice_two_texts": (
        "{count} pictures stand in the dataset more than once, with different texts: one of the "
        "texts is wrong.",
        "有 {count} 张图片重复出现且文字不同：其中必有一段是错的。",
    ),
    "advice_known_texts": (
        "{count} of {total} texts of the test split are also texts in train: the comparison says "
        "little about new texts.",
        "测试集 {total} 段文字中有 {count} 段也在训练集里：对比结果难以说明对新文字的效果。",
    ),
    "advice_normal_forms": (
        "Accents are composed in some texts (NFC) and written apart in others (NFD). Texts that "
        "differ from the rest: {count}. Save all as NFC.",
        "一部分文字的附加符号是合成的（NFC），另一部分是分解的（NFD；{count} 段与其余不同）："
        "请统一为 NFC。",
    ),
    "advice_widths": (
        "The same digits or letters are written full-width and half-width. Texts that differ from "
        "the rest: {count}. Choose one, or the model has to guess.",
        "同样的数字或字母有的用全角、有的用半角（{count} 段与其余不同）：请统一，否则模型只能猜。",
    ),
    "advice_warnings": (
        "{count} texts look suspicious: look at them before you train.",
        "有 {count} 段文字可疑：训练前请先检查。",
    ),
    "advice_right_to_left": (
        "{share} % of the texts run from right to left: they must be stored in the order in which "
        "they are typed, not as they stand on the screen.",
        "{share}% 的文字从右向左书写：存储顺序应为输入顺序，而不是屏幕上的显示顺序。",
    ),
    "advice_group_writer": (
        "{crossing} of {groups} writers or documents stand in several splits. Build with "
        "writers kept together (`--group-by writer`) to test on those the model has never seen.",
        "{groups} 位书写者（或文档）中有 {crossing} 位分散在多个集合中。"
        "构建时请选择“放在一起：书写者”（`--group-by writer`），才能在模型没见过的书写者上测试。",
    ),
    "advice_group_page": (
        "By their names, the pictures come from {groups} pages, such as `{example}`, of which "
        "{crossing} stand in several splits. Build with pages kept together (`--group-by page`) "
        "for an honest test.",
        "从文件名看，图片来自 {groups} 个页面（如 `{example}`），其中 {crossing} 个"
        "分散在多个集合中。构建时请选择“放在一起：页”（`--group-by page`），测试才客观。",
    ),
    "advice_group_folder": (
        "The pictures lie in {groups} folders, such as `{example}`, of which {crossing} stand in "
        "several splits. If a folder is a document, build with folders kept "
        "together (`--group-by folder`).",
        "图片分在 {groups} 个文件夹中（如 `{example}`），其中 {crossing} 个分散在多个集合中。"
        "如果一个文件夹就是一份文档，构建时请选择“放在一起：文件夹”（`--group-by folder`）。",
    ),
    "advice_group_document": (
        "By their names, the pictures come from {groups} documents, such as `{example}`, of which "
        "{crossing} stand in several splits. To test on documents the model has never seen, keep "
        'those together that the pattern `{pattern}` finds (`--group-by "{pattern}"`).',
        "从文件名看，图片来自 {groups} 份文档（如 `{example}`），其中 {crossing} 份"
        "分散在多个集合中。要在模型没见过的文档上测试，构建时请在“放在一起”中填写 "
        '`{pattern}`（`--group-by "{pattern}"`）。',
    ),
}
REPORT_WORDS = {**WARNING_WORDS, **KIND_WORDS, **ADVICE_WORDS}
