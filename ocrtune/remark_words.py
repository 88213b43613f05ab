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
    # a dataset that was edited, or gets more samples
    "edits_made": (
        "Corrections, exclusions and additions made again: {count}.",
        "已重新应用 {count} 处修改、排除和新增。",
    ),
    "edits_kept": (
        "{count} texts are new in the source, but had been corrected by you; your corrections "
        "were kept: {names}.",
        "有 {count} 条文字在新文件中有改动，但您已修改过，因此保留您的修改：{names}。",
    ),
    "edits_missing": (
        "Pictures that were edited but are not here any more: {count}. Their edits are kept.",
        "有 {count} 张修改过的图片已不在其中，它们的修改仍会保留。",
    ),
    "extended": (
        "The {count} samples that were there keep their splits; {added} were added.",
        "原有的 {count} 个样本保持各自的划分，新增 {added} 个。",
    ),
    "extend_known": (
        "Pictures that were there already, with the same text: {count}.",
        "已有且文字相同的图片：{count} 张。",
    ),
    "extend_renamed": (
        "{count} pictures have a name that was taken; they are now called {names}.",
        "有 {count} 张图片与已有图片重名，现改名为 {names}。",
    ),
    "extend_contradicted": (
        "The dataset has this picture as `{picture}` with another text, which was kept: {text} "
        "(here: {other})",
        "数据集中已有这张图片 `{picture}`，文字不同，已保留原有文字：{text}（此处为：{other}）",
    ),
    "said": ("{text}", "{text}"),  # by another library or by the archive
}
ENGLISH = {key: pair[0] for key, pair in WORDS.items()}
CHINESE = {key: pair[1] for key, pair in WORDS.items()}
