"""The words of remarks, English and Chinese side by side: one pair for each key."""

WORDS = {
    # why a line is not used
    "no_path": (
        "The line does not begin with the path of a picture, followed by a space.",
        "这一行不是以图片路径加空格开头。",
    ),
    "no_picture": ("There is no picture `{path}`.", "没有图片 `{path}`。"),
    "several_pictures": (
        "`{path}` fits {count} pictures: {names}.",
        "`{path}` 对应 {count} 张图片：{names}。",
    ),
    "no_text": ("There is no text after the path.", "路径后面没有文字。"),
    "unreadable": (
        "The text holds an unreadable character (U+FFFD): the file's encoding is damaged.",
        "文字中有无法识别的字符（U+FFFD）：文件编码已损坏。",
    ),
    "different_paths": (
        "Different paths (lines {lines}) with different texts fit only `{name}`.",
        "不同的路径（第 {lines} 行）、不同的文字，却只能对应 `{name}`。",
    ),
    "taken": (
        "There is no picture `{path}`: the only one with this name, `{name}`, belongs to line "
        "{line}.",
        "没有图片 `{path}`：唯一同名的 `{name}` 属于第 {line} 行。",
    ),
    "repeated": (
        "Line {line} has the same picture with the same text.",
        "第 {line} 行已有同一张图片和同样的文字。",
    ),
    "contradicted": (
        "Line {line} has another text for the same picture and was kept.",
        "第 {line} 行对同一张图片有不同的文字，已保留那一行。",
    ),
    # why a picture is not used
    "picture_empty": ("The picture file is empty. Copy it again.", "图片文件是空的，请重新复制。"),
    "picture_foreign": (
        "The file is not a picture that can be read. Save it as JPEG or PNG.",
        "这个文件不是可以读取的图片，请另存为 JPEG 或 PNG。",
    ),
    "picture_heic": (
        "The file is not a picture that can be read. Save it as JPEG or PNG instead of HEIC.",
        "这个文件不是可以读取的图片，请把 HEIC 另存为 JPEG 或 PNG。",
    ),
    "picture_damaged": (
        "The picture is damaged: {cause}. Save it again.",
        "图片已损坏：{cause}。请重新保存。",
    ),
    "picture_small": (
        "The picture has only {width} x {height} pixels. {least} are the least on each side.",
        "图片只有 {width} × {height} 像素，每边至少要 {least} 像素。",
    ),
    "picture_large": (
        "The picture has more than {most} megapixels. Save it smaller.",
        "图片超过 {most} 百万像素，请缩小后保存。",
    ),
    # tables
    "table_columns": (
        "Pictures come from the column `{image}`, texts from `{text}`.",
        "图片取自 `{image}` 列，文字取自 `{text}` 列。",
    ),
    "table_group": (
        "Samples with the same `{column}` belong together.",
        "`{column}` 相同的样本视为一组。",
    ),
    "table_split": (
        "The column `{column}` says which split a row belongs to.",
        "`{column}` 列说明每一行属于哪个集合。",
    ),
    "table_first": (
        "The first {rows} of {total} rows were taken.",
        "取了 {total} 行中的前 {rows} 行。",
    ),
    "table_random": (
        "{rows} of {total} rows were taken at random.",
        "从 {total} 行中随机取了 {rows} 行。",
    ),
    "table_lacks": ("The table has no column {columns}.", "表格中没有这些列：{columns}。"),
    "table_empty": ("There is nothing in the column `{column}`.", "`{column}` 列是空的。"),
    "table_no_text": (
        "The column `{column}` holds no text here, or several that may be meant.",
        "`{column}` 列在这一行没有文字，或者有好几段，无法确定是哪一段。",
    ),
    "table_no_label": ("No class has the number {number}.", "没有编号为 {number} 的类别。"),
    "table_no_picture": (
        "There is no picture in the column `{column}`.",
        "`{column}` 列里没有图片。",
    ),
    "table_pictures": (
        "The row has {count} pictures; it is not known which one the text belongs to.",
        "这一行有 {count} 张图片，不知道文字属于哪一张。",
    ),
    "table_base64": ("The picture is not written in base64.", "图片不是有效的 base64。"),
    # datasets of the Hub
    "hub_source": (
        "From the Hugging Face Hub: https://huggingface.co/datasets/{address}",
        "来自 Hugging Face Hub：https://huggingface.co/datasets/{address}",
    ),
    "hub_converted": (
        "Read from the Hub's own copy in parquet, commit {commit}.",
        "读取的是 Hub 自动转换的 parquet 副本，提交为 {commit}。",
    ),
    "hub_subset": (
        "Its subset `{subset}` was taken, its author's default. Others: {others}.",
        "取了作者默认的子集 `{subset}`。其他子集：{others}。",
    ),
    "hub_first": ("The first {rows} rows were taken.", "取了前 {rows} 行。"),
    "hub_random": ("{rows} rows were taken at random.", "随机取了 {rows} 行。"),
    "hub_splits_left": (
        "Splits that were left out: {splits}. One of them alone can be taken by its name.",
        "没有使用的集合：{splits}。可以按名称单独选用其中之一。",
    ),
    "hub_large": ("The picture is larger than {most} MiB.", "图片超过 {most} MiB。"),
    # about the splits
    "split_leak": (
        "{count} identical pictures stand in more than one of your own splits, so the CER will "
        "look better than it is: {names}. Remove them from one of them.",
        "有 {count} 张完全相同的图片出现在您自己划分的不止一个集合里，CER 会显得比实际好：{names}。"
        "请从其中一个集合删除。",
    ),
    "split_groups": (
        "{count} groups (by {by}) were kept whole: none is in two splits.",
        "按 {by} 分成的 {count} 个组保持完整，没有一组分散在两个集合中。",
    ),
    "split_torn": (
        "{count} groups were in several splits before, and stay so: {names}.",
        "有 {count} 个组原先就分散在多个集合中，保持不变：{names}。",
    ),
    "split_far_off": (
        "Whole groups could not be divided closer than {shares} into train, validation and test. "
        "More or smaller groups would help.",
        "在不拆分组的前提下，训练、验证、测试只能分成 {shares}。组更多或更小会有帮助。",
    ),
    "split_no_test": (
        "There is no test sample, so nothing can be compared: 3 different pictures (or groups) are "
        "the least.",
        "没有测试样本，因此无法比较：至少需要 3 张不同的图片（或 3 个组）。",
    ),
    "split_no_validation": (
        "There is no validation sample, so the CER is not measured during training, and the last "
        "weights are kept.",
        "没有验证样本，因此训练过程中不测 CER，保留的是最后的权重。",
    ),
    "said": ("{text}", "{text}"),  # by another library or by the archive
}
ENGLISH = {key: pair[0] for key, pair in WORDS.items()}
CHINESE = {key: pair[1] for key, pair in WORDS.items()}
