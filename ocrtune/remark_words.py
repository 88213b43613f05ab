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
        "Line {line} has another text for the same picture and was kept: `{kept}`, not `{other}`.",
        "第 {line} 行对同一张图片有不同的文字，保留了那一行的 `{kept}`，而不是 `{other}`。",
    ),
    # how a content file was understood, and which of its lines do not fit
    "encoding_guessed": (
        "`{file}` does not say its encoding and was read as {encoding}. If its characters look "
        "wrong, name the right one with `--encoding`.",
        "`{file}` 没有标明编码，按 {encoding} 读取。如果出现乱码，"
        "请用 `--encoding` 指定正确的编码。",
    ),
    "as_list": (
        "The content file was read as a list: {count} items name a picture.",
        "内容文件按列表读取：{count} 项对应图片。",
    ),
    "as_table": (
        "The content file was read as a table: {count} rows name a picture.",
        "内容文件按表格读取：{count} 行对应图片。",
    ),
    "as_pages": (
        "The content file was read as pages, each with its text under the line that names its "
        "picture: {count} of them.",
        "内容文件按页读取（先写图片名，下面是该页的文字）：共 {count} 页。",
    ),
    "separated": (
        "Path and text are parted by {sign} in the content file: {count} lines name a picture.",
        "内容文件用 {sign} 分隔路径和文字：{count} 行对应图片。",
    ),
    "header_line": (
        "The first line of the content file, `{header}`, names its columns and was left out.",
        "内容文件第一行 `{header}` 是列名，已跳过。",
    ),
    "bare_paths": (
        "{count} paths lack the suffix of their picture, such as `{path}`, and were found without.",
        "{count} 个路径没有写图片后缀（例如 `{path}`），已按不带后缀的名称找到图片。",
    ),
    "texts_unquoted": (
        "{count} texts stood in quotation marks, which were taken off.",
        "{count} 条文字带有外层引号，已去掉。",
    ),
    "breaks_made": (
        "A written `\\n` was taken for a line break: {count} of them in {lines} texts. Write "
        "`\\\\n` where the two characters are meant.",
        "文字中的 `\\n` 已当作换行：{lines} 条文字中共 {count} 处。"
        "如果确实要写这两个字符，请写成 `\\\\n`。",
    ),
    "breaks_kept": (
        "{count} texts hold `\\n`, which was left as it is: other letters follow a backslash too, "
        "so these look like TeX or paths.",
        "{count} 条文字含有 `\\n`，保持原样：文件中反斜杠后面还有其他字母，"
        "看起来是 TeX 命令或路径。",
    ),
    "files_read": (
        "{count} content files were read: {names}.",
        "读取了 {count} 个内容文件：{names}。",
    ),
    "files_left": (
        "Not read as content files, since {chosen} is: {names}.",
        "已使用 {chosen}，以下文件没有当作内容文件读取：{names}。",
    ),
    "repeated_file": (
        "`{file}` has the same picture with the same text.",
        "`{file}` 中已有同一张图片和同样的文字。",
    ),
    "odd_separator": (
        "The path ends at `{sign}`, unlike in most lines that name a picture. Write all lines "
        "in the same way.",
        "这一行的路径后面是 `{sign}`，与大多数行不同。请让所有行的写法一致。",
    ),
    "several_links": (
        "The line shows several pictures, so it is unclear which one the text belongs to.",
        "这一行有多张图片，无法确定文字属于哪一张。",
    ),
    "label_and_text": (
        "The picture's own words, `{label}`, differ from the text behind it, `{text}`.",
        "图片的替代文字 `{label}` 与后面的文字 `{text}` 不一致。",
    ),
    "label_is_name": (
        "The only text, `{label}`, is the name of the picture.",
        "唯一的文字 `{label}` 只是图片的名称。",
    ),
    "open_quote": (
        "The text begins with a quotation mark that does not end it.",
        "文字以引号开头，但结尾没有对应的引号。",
    ),
    "outside_table": (
        "The line stands outside of the table.",
        "这一行不在表格中。",
    ),
    "no_picture_column": (
        "No column of this table names a picture of the archive.",
        "这个表格没有一列对应压缩包中的图片。",
    ),
    "cell_no_picture": (
        "Column {column} of this row does not name a picture.",
        "这一行的第 {column} 列不是图片名。",
    ),
    "row_cells": (
        "The row has {count} cells, the table only {width}. Write `\\|` for a bar within a text.",
        "这一行有 {count} 个单元格，而表格只有 {width} 列。文字中的竖线请写成 `\\|`。",
    ),
    "before_pages": (
        "The line stands before the first line that names a picture.",
        "这一行在第一个图片名之前。",
    ),
    "no_page_text": (
        "There is no text below the line that names the picture.",
        "图片名下面没有文字。",
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
