"""The words of remarks, English and Chinese side by side: one pair for each key."""

from ocrtune.advice_words import REPORT_WORDS

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
        "The content file was read as a list; items to use: {count}.",
        "内容文件按列表读取：可用 {count} 项。",
    ),
    "as_table": (
        "The content file was read as a table; rows to use: {count}.",
        "内容文件按表格读取：可用 {count} 行。",
    ),
    "as_pages": (
        "The content file was read as pages, each with its text under the line that names its "
        "picture; pages to use: {count}.",
        "内容文件按页读取（先写图片名，下面是该页的文字）：可用 {count} 页。",
    ),
    "separated": (
        "Path and text are parted by {sign} in the content file; lines to use: {count}.",
        "内容文件用 {sign} 分隔路径和文字：可用 {count} 行。",
    ),
    "header_line": (
        "The first line of the content file, `{header}`, names its columns and was left out.",
        "内容文件第一行 `{header}` 是列名，已跳过。",
    ),
    "bare_paths": (
        "Paths without the suffix of their picture, such as `{path}`: {count}. They were found all "
        "the same.",
        "{count} 个路径没有写图片后缀（例如 `{path}`），已按不带后缀的名称找到图片。",
    ),
    "texts_unquoted": (
        "Quotation marks around the whole text were taken off (texts: {count}).",
        "{count} 条文字带有外层引号，已去掉。",
    ),
    "breaks_made": (
        "A written `\\n` was taken for a line break (in all: {count}, texts: {lines}). Write "
        "`\\\\n` where the two characters are meant.",
        "文字中的 `\\n` 已当作换行：{lines} 条文字中共 {count} 处。"
        "如果确实要写这两个字符，请写成 `\\\\n`。",
    ),
    "breaks_kept": (
        "`\\n` was left as it is (texts that hold it: {count}): other letters follow a backslash "
        "too, so these look like TeX or paths.",
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
        "The line belongs to no page: no line above it names its picture.",
        "这一行不属于任何一页：它上面没有写图片名的行。",
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
    "picture_heavy": (
        "The file is larger than {most} MiB. Save it smaller.",
        "文件超过 {most} MiB，请缩小后保存。",
    ),
    "picture_closed": (
        "It cannot be opened: {cause}. Check the path.",
        "无法打开：{cause}。请检查路径。",
    ),
    # what was given to be read
    "read_no_picture": (
        "`{name}` holds no picture and no PDF. Add some, as JPEG or PNG.",
        "`{name}` 中没有图片，也没有 PDF。请放入 JPEG 或 PNG 图片。",
    ),
    "read_zips": (
        "Zips within are not opened: {count}, such as `{name}`. Name them themselves.",
        "有 {count} 个压缩包（如 `{name}`）在里面，不会打开，请单独给出。",
    ),
    "read_left_out": (
        "Only the first {most} pictures are read; {count} more were left out. Read them "
        "afterwards.",
        "只识别前 {most} 张图片，另有 {count} 张未读，请之后再读。",
    ),
    "read_too_much": (
        "The pictures before it take all the room there is. Read this one in another go.",
        "前面的图片已占满空间，请另行识别这一张。",
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
    "cell_empty": ("There is nothing in the column `{column}`.", "`{column}` 列是空的。"),
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
        "From the Hugging Face Hub: {endpoint}/datasets/{address}",
        "来自 Hugging Face Hub：{endpoint}/datasets/{address}",
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
    "split_from_train": (
        "The ground truth has no {missing} split of its own: one was taken from its train split.",
        "标注自带的划分中没有 {missing}，已从训练集中抽取。",
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
    # other shapes than the content file
    "own_splits": (
        "The splits are the ground truth's own: {splits}. Without one: {others}.",
        "沿用标注自带的划分：{splits}。没有划分的：{others}。",
    ),
    "text_no_picture": (
        "There is no picture called `{stem}` for this text.",
        "没有名为 `{stem}` 的图片与这个文本对应。",
    ),
    "picture_taken": (
        "The picture of this text already has another one, `{file}`.",
        "这个文本对应的图片已有另一个文本 `{file}`。",
    ),
    "text_empty": ("The text file is empty.", "文本文件是空的。"),
    "not_text": (
        "The file is not a text. Save it as plain text in UTF-8.",
        "这个文件不是文本，请另存为 UTF-8 纯文本。",
    ),
    "pictures_no_text": (
        "{count} pictures have no text and are left out, such as `{first}`: add a `{suffix}` file.",
        "{count} 张图片没有文本，未使用，例如 `{first}`：请补上 `{suffix}` 文件。",
    ),
    "texts_left": (
        "{count} texts that are not `.gt.txt` are left out, such as `{first}`.",
        "{count} 个不是 `.gt.txt` 的文本未使用，例如 `{first}`。",
    ),
    "columns": (
        "`{file}`: the column `{image}` names the pictures, `{text}` holds the text.",
        "`{file}`：图片取自“{image}”列，文字取自“{text}”列。",
    ),
    "table_empty": ("`{file}` holds no row.", "`{file}` 中没有数据行。"),
    "too_many_cells": (
        "The row has {count} cells, but the table {expected} columns. Put quotes around a text "
        "with the separator in it.",
        "这一行有 {count} 个单元格，而表格只有 {expected} 列。文字中含有分隔符时请加引号。",
    ),
    "not_json": ("The line is no sound JSON.", "这一行不是正确的 JSON。"),
    "not_object": (
        "This is no object with a picture and a text.",
        "这不是含有图片和文字的 JSON 对象。",
    ),
    "no_cell": ("The row names no picture.", "这一行没有写图片。"),
    "no_text_cell": ("The row has no text in `{column}`.", "这一行的“{column}”列没有文字。"),
    "repeated_row": (
        "Line {line} of `{file}` has the same picture with the same text.",
        "`{file}` 第 {line} 行已有同一张图片和同样的文字。",
    ),
    "contradicted_row": (
        "Line {line} of `{file}` has another text for the same picture and was kept.",
        "`{file}` 第 {line} 行对同一张图片有不同的文字，已保留那一行。",
    ),
    "repeated_page": (
        "Line {line} of `{file}` already has the boxes of this picture.",
        "`{file}` 第 {line} 行已有这张图片的文本框。",
    ),
    "no_label": (
        "The line does not begin with the path of a picture, followed by a tab and its text.",
        "这一行不是“图片路径、制表符、文字”的形式。",
    ),
    "no_tabs": (
        "{count} lines have no tab between path and text and were divided behind the picture's "
        "suffix; the first is line {line} of `{file}`.",
        "{count} 行的路径与文字之间没有制表符，已在图片后缀之后断开；"
        "首例为 `{file}` 第 {line} 行。",
    ),
    "boxes_left": (
        "`{file}` has boxes on whole pages, and `{used}` the lines cut out of them: only the "
        "lines are used.",
        "`{file}` 是整页的文本框，`{used}` 是裁好的文本行：只使用文本行。",
    ),
    "no_boxes": ("The picture has no boxes.", "这张图片没有文本框。"),
    "no_box": (
        "The box has no corners that can be understood: `points` is a list of [x, y].",
        "文本框的坐标无法识别：`points` 应为 [x, y] 的列表。",
    ),
    "illegible": (
        "The text is marked as illegible (`{mark}`).",
        "文字被标为无法辨认（`{mark}`）。",
    ),
    "difficult": ("The box is marked as difficult.", "文本框被标为困难样本。"),
    "xml_large": ("The XML file is larger than {most} MiB.", "XML 文件超过 {most} MiB。"),
    "xml_deep": (
        "The XML file has more than {elements} elements or is nested deeper than {depth}.",
        "XML 文件的元素超过 {elements} 个，或嵌套超过 {depth} 层。",
    ),
    "xml_entities": (
        "The XML file declares entities, which can hide other files or gigabytes. Export it again "
        "without them.",
        "XML 文件声明了实体，可能藏有其他文件或海量数据。请重新导出不含实体的文件。",
    ),
    "xml_damaged": (
        "The XML file is damaged: {cause}. Export it again.",
        "XML 文件已损坏：{cause}。请重新导出。",
    ),
    "xml_others": (
        "{count} XML files of another kind were left alone, such as `{first}`.",
        "{count} 个其他类型的 XML 文件未使用，例如 `{first}`。",
    ),
    "layouts_read": ("{files} layout files were read.", "读取了 {files} 个版面文件。"),
    "layout_empty": ("The file describes no line of text.", "文件中没有任何文本行。"),
    "page_taken": (
        "The picture `{name}` already has its lines from `{file}`.",
        "图片 `{name}` 的文本行已取自 `{file}`。",
    ),
    "alto_unit": (
        "The file measures in `{unit}` and does not say how large the page is. Export it in "
        "pixels.",
        "文件以 `{unit}` 为单位，却没有写页面大小。请以像素为单位导出。",
    ),
    "line_no_text": ("Line `{part}` has no text.", "行 `{part}` 没有文字。"),
    "line_no_place": (
        "Line `{part}` has no outline, box or baseline.",
        "行 `{part}` 没有轮廓、方框或基线。",
    ),
    "region_no_lines": (
        "Region `{part}` has a text, but no lines to cut out. With `--shape pages` it is used.",
        "区域 `{part}` 有文字，却没有可裁剪的行。用 `--shape pages` 可以使用。",
    ),
    "page_no_text": ("The page has no text.", "页面没有文字。"),
    "line_outside": (
        "Line `{part}` lies outside of the picture.",
        "行 `{part}` 在图片之外。",
    ),
    "line_small": (
        "Line `{part}` has only {width} x {height} pixels. {least} are the least on each side.",
        "行 `{part}` 只有 {width} × {height} 像素，每边至少要 {least} 像素。",
    ),
    "other_proportions": (
        "Line `{part}` was drawn on a page of {width} x {height}, but the picture has {wide} x "
        "{high} pixels: it is another one, or was trimmed.",
        "行 `{part}` 标在 {width} × {height} 的页面上，而图片是 {wide} × {high} 像素："
        "不是同一张，或被裁过。",
    ),
    "pdf_locked": (
        "`{name}` is protected by a password. Save it without one.",
        "`{name}` 有密码保护，请另存为无密码的文件。",
    ),
    "pdf_damaged": ("`{name}` is no sound PDF. Save it again.", "`{name}` 已损坏，请重新保存。"),
    "pdf_long": (
        "`{name}` has {count} pages, of which the first {most} are used. Divide it.",
        "`{name}` 有 {count} 页，只使用前 {most} 页。请拆分文件。",
    ),
    "pdf_no_page": (
        "`{name}` has none of the pages that were asked for. Name others.",
        "`{name}` 中没有所选的页，请另选页码。",
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
    "half_character": (
        "The text holds half of a character (a lone surrogate, as `\\ud800` in JSON). Write it "
        "again.",
        "文字中有半个字符（单独的代理项，如 JSON 中的 `\\ud800`），请重新填写。",
    ),
    # pictures that are not opened
    "picture_scans": (
        "The JPEG is made of more than {most} passes. Save it again.",
        "这个 JPEG 的扫描次数超过 {most} 次，请重新保存。",
    ),
    "picture_tags": (
        "The notes in the picture file (EXIF, TIFF tags) are damaged or far too many. Save it "
        "again without them.",
        "图片文件中的附加信息（EXIF、TIFF 标签）已损坏或过多，请去掉后重新保存。",
    ),
    "picture_pages": (
        "The file holds more than {most} pages. Divide it.",
        "文件超过 {most} 页，请拆分。",
    ),
    "picture_tiles": (
        "The JPEG 2000 would take too much memory. Save it as JPEG or PNG.",
        "这个 JPEG 2000 图片需要的内存过多，请另存为 JPEG 或 PNG。",
    ),
    **REPORT_WORDS,
    # about the files of an archive
    "names_repeated": (
        "{count} files of the archive have the same name as a later one, which counts: {names}.",
        "压缩包中有 {count} 个文件与后面的文件同名，以后面的为准：{names}。",
    ),
    "names_alike": (
        "{count} names differ from each other only in case or Unicode form: {names}. Each is a "
        "file of its own, and a path means the one that is spelled exactly like it.",
        "有 {count} 个文件名仅大小写或 Unicode 形式不同：{names}。它们各算一个文件，"
        "路径指的是写法完全相同的那一个。",
    ),
    "names_windows": (
        "{count} names cannot exist on Windows: {names}. They are used here, but are lost when "
        "the archive is unpacked there.",
        "有 {count} 个文件名在 Windows 上不能使用：{names}。"
        "这里照常使用，但在 Windows 上解压会丢失。",
    ),
    "names_turning": (
        "{count} names hold invisible signs that turn the direction of writing: {names}. They may "
        "not be what they look like.",
        "有 {count} 个文件名含有改变文字方向的不可见字符：{names}。看到的可能与实际不同。",
    ),
    "others_left": (
        "Neither pictures nor ground truth, so left alone: {kinds}.",
        "以下文件既不是图片也不是标注，未使用：{kinds}。",
    ),
    "folders_closed": (
        "{count} folders cannot be opened, so their pictures are missing: {names}. Check their "
        "rights.",
        "有 {count} 个文件夹无法打开，其中的图片未读取：{names}。请检查权限。",
    ),
    "said": ("{text}", "{text}"),  # by another library or by the archive
}
ENGLISH = {key: pair[0] for key, pair in WORDS.items()}
CHINESE = {key: pair[1] for key, pair in WORDS.items()}
