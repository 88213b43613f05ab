"""Sentences of pictures, texts and datasets, and their Chinese.

The key is the template of the English sentence, `{0}` for its first value; `sentences` tells how
it is found. PHRASES stand inside sentences.
"""

# fmt: off
SENTENCES = {
    # archive.py
    "Put a text file `content.md` beside the pictures, with one line for each: `images/1.jpg "
    "the text in the picture`.":
        "请在图片旁放一个文本文件 `content.md`，每张图片一行：`images/1.jpg 图片上的文字`。",
    "Zip the pictures together with their `content.md` and try again.":
        "请把图片和 `content.md` 一起打包成 zip，再试一次。",
    "`{0}` is not a zip but {1}.": "`{0}` 不是 zip，而是{1}。",
    "`{0}` is not a zip.": "`{0}` 不是 zip。",
    "`{0}` holds {1} text files that may be the content file: {2}.":
        "`{0}` 里有 {1} 个文本文件都可能是内容文件：{2}。",
    "`{0}` is refused: {1}.": "已拒绝 `{0}`：{1}。",
    "Make a new zip of the pictures.": "请用这些图片重新制作 zip。",
    "`{0}` holds more than {1} files.": "`{0}` 里的文件超过 {1} 个。",
    "Divide it into smaller ones.": "请分成几个较小的。",
    "`{0}` unpacks to more than {1} MiB.": "`{0}` 解压后超过 {1} MiB。",
    "There is no file or folder `{0}`.": "没有文件或文件夹 `{0}`。",
    "Check the path.": "请检查路径。",
    "`{0}` is neither a file nor a folder.": "`{0}` 既不是文件，也不是文件夹。",
    "`{0}` holds no content file.": "`{0}` 里没有内容文件。",
    "{0} reaches into the zip's table of contents": "{0} 伸进了 zip 的目录区",
    "`{0}` is empty.": "`{0}` 是空的。",
    "`{0}` is damaged or incomplete: {1}.": "`{0}` 已损坏或不完整：{1}。",
    "Make the zip again.": "请重新制作 zip。",
    "`{0}` is not a file.": "`{0}` 不是文件。",
    "Name a picture.": "请指定一张图片。",
    "`{0}` is too large for a content file.": "`{0}` 太大，不能作为内容文件。",
    "`{0}` cannot be read: {1}.": "`{0}` 无法读取：{1}。",
    "{0} share the same bytes": "{0} 占用相同的字节",
    "`{0}` is protected by a password.": "`{0}` 有密码保护。",
    "Zip again without a password.": "请重新打包，不要设密码。",
    "`{0}` holds another archive, `{1}`.": "`{0}` 里还有另一个压缩包 `{1}`。",
    "Unpack that one and zip the pictures themselves.": "请先解开它，再直接打包图片。",
    "`{0}` unpacks to more than {1} times its packed size.": "`{0}` 解压后超过压缩大小的 {1} 倍。",
    "Save the pictures as PNG or JPEG and make a new zip.":
        "请把图片存为 PNG 或 JPEG，再重新制作 zip。",
    "`{0}` is larger than {1} MiB.": "`{0}` 大于 {1} MiB。",
    "Save it smaller.": "请存得小一些。",
    # columns.py
    "Its columns are: {0}.": "它的列有：{0}。",
    "`{0}` has no column `{1}`.": "`{0}` 没有列 `{1}`。",
    "Several columns of `{0}` may hold {1}: {2}.": "`{0}` 有好几列都可能是{1}：{2}。",
    "No column of `{0}` seems to hold {1}.": "`{0}` 似乎没有一列是{1}。",
    "Name one with `--{0}`. There are: {1}.": "请用 `--{0}` 指定一列。现有：{1}。",
    "Add one.": "请加上一列。",
    # dataset.py
    "None of the {0} lines of `{1}` can be used.": "`{1}` 的 {0} 行都无法使用。",
    "Write paths as in the archive, such as `{0}`.": "路径请与压缩包里的一致，例如 `{0}`。",
    "Every sample is excluded.": "所有样本都被排除了。",
    "Include some of them again.": "请重新纳入其中一些。",
    "`{0}` holds no line to use.": "`{0}` 里没有可用的行。",
    "`{0}` holds no picture: add them.": "`{0}` 里没有图片：请加上。",
    # dataset_facts.py
    "`{0}` is no run, and no adapter.": "`{0}` 不是训练，也不是适配器。",
    "Name the folder that `train` wrote.": "请指定 `train` 写出的文件夹。",
    "The dataset `{0}` has no sample in its train split.": "数据集 `{0}` 的训练集里没有样本。",
    "Build it again.": "请重新生成。",
    "Train again.": "请重新训练。",
    # dataset_files.py
    "`{0}` is not a dataset of ocrtune: {1}.": "`{0}` 不是 ocrtune 的数据集：{1}。",
    "Build it again with `python -m ocrtune build`.": "请用 `python -m ocrtune build` 重新生成。",
    "`{0}` is no prefix for files.": "`{0}` 不能作为文件名的开头。",
    "Use for example `my_lines`.": "例如用 `my_lines`。",
    "There is no `{0}`.": "没有 `{0}`。",
    "The dataset `{0}` cannot be written: {1}.": "数据集 `{0}` 无法写入：{1}。",
    "Check the path, its rights and the free space.": "请检查路径、权限和剩余空间。",
    "Build it with `python -m ocrtune build SOURCE --output {0}`.":
        "请用 `python -m ocrtune build SOURCE --output {0}` 生成。",
    # editing.py
    "The first line names the columns `id` and `text`, separated by a comma.":
        "第一行应写列名 `id` 和 `text`，用逗号分隔。",
    "It is the last sample of the {0} split.": "这是{0}里的最后一个样本。",
    "Add others before you exclude it.": "请先添加其他样本，再排除它。",
    "Line {0} of `{1}` has no id or no text.": "`{1}` 的第 {0} 行没有 id 或文字。",
    "`{0}` has no columns `id` and `text`.": "`{0}` 没有 `id` 和 `text` 两列。",
    # edits.py
    "A sample needs a text.": "样本需要文字。",
    "Write it, or exclude the sample.": "请写上文字，或排除这个样本。",
    "The text has {0} characters, and {1} are the most.": "文字有 {0} 个字符，最多 {1} 个。",
    "Cut the picture in parts.": "请把图片裁成几部分。",
    "The text holds an unreadable character.": "文字里有无法识别的字符。",
    "Write it anew.": "请重新填写。",
    "The added picture `{0}` is another one now.": "添加的图片 `{0}` 已变成另一张。",
    "Restore it.": "请恢复它。",
    "The edits in `{0}` cannot be read: {1}.": "`{0}` 里的修改无法读取：{1}。",
    "Restore the file, or delete it to do without them.":
        "请恢复这个文件；不需要这些修改时，删除它即可。",
    "The edits cannot be written to `{0}`: {1}.": "修改无法写入 `{0}`：{1}。",
    "{0} samples were added already.": "已经添加了 {0} 个样本。",
    "Build a dataset with the others.": "请用其余的另外生成一个数据集。",
    "The added picture `{0}` cannot be read: {1}.": "添加的图片 `{0}` 无法读取：{1}。",
    # encoding.py
    "The content file is not a text in {0}.": "内容文件不是 {0} 编码的文本。",
    "Save it as plain text in UTF-8, or name its encoding with `--encoding`.":
        "请存为 UTF-8 纯文本，或用 `--encoding` 指定编码。",
    "There is no encoding `{0}`.": "没有编码 `{0}`。",
    "Use for example utf-8, gb18030 or cp1252.": "例如用 utf-8、gb18030 或 cp1252。",
    # errors.py
    "Did you mean `{0}`?": "您是不是想写 `{0}`？",
    "Choose with `--{0}`: {1}.": "请用 `--{0}` 选择：{1}。",
    # grouping.py
    "The pattern has {0} characters.": "表达式有 {0} 个字符。",
    "{0} are the most.": "最多 {0} 个。",
    "The pattern `{0}` matches no picture's name, such as `{1}`.":
        "表达式 `{0}` 匹配不到任何图片名，例如 `{1}`。",
    "Test it on one of the names; it may match anywhere in them.":
        "请用其中一个名称试一试；它可以匹配名称中的任意位置。",
    "The ground truth names no writers.": "文字里没有书写者的名称。",
    "Add a column `writer`, or use `--group-by folder` or a pattern.":
        "请加上 `writer` 列，或使用 `--group-by folder` 或一个表达式。",
    "`{0}` is neither folder, page or writer nor a regular expression: {1}.":
        "`{0}` 既不是 folder、page 或 writer，也不是正则表达式：{1}。",
    "Use for example `^(\\w+?)_` for what stands before the first underscore.":
        "例如用 `^(\\w+?)_` 取第一个下划线之前的部分。",
    "The pattern `{0}` takes too long.": "表达式 `{0}` 用时太久。",
    "Write it without nested repetitions.": "请不要嵌套重复。",
    # markdown_tables.py
    "The table in line {0} has several columns that may hold the texts.":
        "第 {0} 行的表格有好几列都可能是文字。",
    # pdf_files.py
    "There is no file `{0}`.": "没有文件 `{0}`。",
    "The PDFs in `{0}` unpack to more than {1} MiB.": "`{0}` 里的 PDF 解压后超过 {1} MiB。",
    "`{0}` cannot be drawn.": "`{0}` 无法绘制。",
    "Save the PDF again, or export the page as a picture.":
        "请重新保存 PDF，或把这一页导出为图片。",
    "Divide it.": "请把它分开。",
    # picture_store.py
    "The build was stopped; nothing was written.": "生成已停止，没有写入任何内容。",
    "Start it again.": "请重新开始。",
    "`{0}` changed while the dataset was built.": "生成数据集时，`{0}` 发生了变化。",
    # rebuilding.py
    "The edits of `{0}` were changed while the dataset was built.":
        "生成数据集时，`{0}` 的修改发生了变化。",
    # shapes/__init__.py
    "`{0}` holds no ground truth.": "`{0}` 里没有正确文字。",
    "`{0}` has a text layer, which is not taken for the truth: it may be another program's "
    "reading.":
        "`{0}` 有文字层，但不把它当作正确文字：它可能是别的程序识别的结果。",
    "`{0}` has no text layer.": "`{0}` 没有文字层。",
    "Write the text of its pages into `{0}/1.txt`, `{1}/2.txt` …, or into a `content.md` with "
    "lines like `{2} the text`.":
        "请把各页的文字写入 `{0}/1.txt`、`{1}/2.txt` ……，或写入 `content.md`，每行如 `{2} 文字`。",
    "`{0}` holds ground truth in several shapes: {1}.": "`{0}` 里有几种形式的文字：{1}。",
    "{0} `{1}` may hold it, but only text files are read.":
        "{0} 文字可能在 `{1}` 里，但只能读取文本文件。",
    "Save a table as CSV with the columns `image_path` and `text`, a document as plain text "
    "with one line for each picture, and put that into the zip.":
        "请把表格存为有 `image_path` 和 `text` 两列的 CSV，把文档存为每张图片一行的纯文本，然后放"
        "进 zip。",
    # shapes/columns.py
    "Which column of `{0}` names the pictures is unclear.": "`{0}` 的哪一列是图片名，还不清楚。",
    "Which column of `{0}` holds the text is unclear.": "`{0}` 的哪一列是文字，还不清楚。",
    "It has: {0}.": "它有：{0}。",
    "`{0}` has no column with plain texts or paths.": "`{0}` 没有一列是普通文字或路径。",
    "Write a row for each picture with the columns `image_path` and `text`.":
        "请为每张图片写一行，列名为 `image_path` 和 `text`。",
    # shapes/layout_files.py
    "`{0}` holds no {1}.": "`{0}` 里没有 {1}。",
    "Export it from eScriptorium or Transkribus together with the pictures.":
        "请从 eScriptorium 或 Transkribus 连同图片一起导出。",
    # shapes/lines.py
    "`{0}` holds {1} text files that may be the content file: {2}.{3}":
        "`{0}` 里有 {1} 个文本文件都可能是内容文件：{2}。{3}",
    "For `{0}`, `{1}` and `{2}` have different texts.": "例如 `{0}`，`{1}` 和 `{2}` 中的文字不同。",
    # shapes/paddle.py
    "`{0}` holds no label list of PaddleOCR.": "`{0}` 里没有 PaddleOCR 标注列表。",
    "Add `rec_gt_train.txt` with a path, a tab and the text on each line.":
        "请加上 `rec_gt_train.txt`，每行是路径、制表符和文字。",
    # shapes/pairs.py
    "`{0}` holds no texts beside pictures.": "`{0}` 里的图片旁边没有文字。",
    "Give each picture a text of its name: `1.png` and `1.gt.txt`.":
        "请给每张图片一个同名的文本：`1.png` 和 `1.gt.txt`。",
    # shapes/parquet.py
    "Its files name no splits.": "它的文件没有写明集合。",
    "`{0}` holds no parquet file.": "`{0}` 里没有 parquet 文件。",
    "Choose another shape.": "请选择另一种形式。",
    "Choose another table.": "请选择另一个表格。",
    "`{0}` has {1} rows, more than can be used at once.": "`{0}` 有 {1} 行，多到无法一次使用。",
    "Take some of them, such as `--rows 100000 --random-rows`.":
        "请只取一部分，例如 `--rows 100000 --random-rows`。",
    # shapes/table_files.py
    "`{0}` holds no table.": "`{0}` 里没有表格。",
    "Add a CSV with the columns `image_path` and `text`.":
        "请加上有 `image_path` 和 `text` 两列的 CSV。",
    # shapes/table_rows.py
    "`{0}` is no sound CSV from line {1} on: {2}.": "`{0}` 从第 {1} 行起不是正确的 CSV：{2}。",
    "Look at its quotes and save it again.": "请检查其中的引号，再重新保存。",
    "`{0}` is no sound JSON: {1}.": "`{0}` 不是正确的 JSON：{1}。",
    # sources.py
    "There is no file `{0}`, neither here nor in `{1}`.": "没有文件 `{0}`，这里和 `{1}` 里都没有。",
    "Name a parquet file, a folder or zip of them, or a dataset of the Hub.":
        "请指定 parquet 文件、放这些文件的文件夹或 zip，或 Hub 上的数据集。",
    # tables.py
    "`{0}` is damaged, incomplete or no parquet file: {1}.":
        "`{0}` 已损坏、不完整，或不是 parquet 文件：{1}。",
    "Write or download it again.": "请重新写入或下载。",
    "Write it again without that compression.": "请不用那种压缩，重新写入。",
}
PHRASES = {
    "a RAR archive": "RAR 压缩包",
    "a 7z archive": "7z 压缩包",
    "a gzip archive": "gzip 压缩包",
    "a bzip2 archive": "bzip2 压缩包",
    "an xz archive": "xz 压缩包",
    "a tar archive": "tar 压缩包",
    "a picture": "图片",
    "a web page": "网页",
    "it has no table of contents": "没有目录区",
    "it is packed in an unusual way": "打包方式不常见",
    "a name is longer than {0} characters": "有名称超过 {0} 个字符",
    "{0} is a link": "{0} 是链接",
    "{0} is not a file": "{0} 不是文件",
    "{0} is an absolute path": "{0} 是绝对路径",
    "{0} leads out of the archive": "{0} 指向压缩包之外",
    "{0} holds control characters": "{0} 含有控制字符",
    "the pictures": "图片",
    "the texts": "文字",
    "it is no build report": "它不是生成报告",
    "row {0} holds no picture with its text": "第 {0} 行没有图片和文字",
    "two rows are called `{0}`": "有两行都叫 `{0}`",
    "it has no columns `image` and `text`": "它没有 `image` 和 `text` 两列",
    "a row holds no text": "有一行没有文字",
    "`{0}` has no picture or no text": "`{0}` 没有图片或没有文字",
    "there is no origin `{0}`": "没有来源 `{0}`",
    "`{0}` is no file name": "`{0}` 不是文件名",
    "it was written by another version of ocrtune": "它是由另一版本的 ocrtune 写的",
    "`{0}` is unknown or of the wrong kind": "`{0}` 不认识，或类型不对",
    "`{0}` is {1}.": "`{0}` 是 {1}。",
    "`{0}` is `{1}`.": "`{0}` 是 `{1}`。",
    "it has fewer rows than it says": "行数比它自己写明的少",
    "column {0}": "第 {0} 列",
    "{0} or {1}": "{0} 或 {1}",
    "{0} and {1}": "{0} 和 {1}",
    "No such file or directory": "没有这个文件或文件夹",
    "Permission denied": "没有权限",
    "No space left on device": "磁盘空间不足",
    "Is a directory": "这是一个文件夹",
    "Not a directory": "这不是文件夹",
    "Read-only file system": "文件系统是只读的",
    "File exists": "文件已存在",
    "File name too long": "文件名太长",
    "Input/output error": "读写出错",
    "Disk quota exceeded": "超出磁盘配额",
    "Too many open files": "打开的文件太多",
    "File too large": "文件太大",
}
