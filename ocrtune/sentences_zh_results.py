"""Sentences of reading, comparing and reports, and their Chinese.

The key is the template of the English sentence, `{0}` for its first value; `sentences` tells how
it is found. PHRASES stand inside sentences.
"""

# fmt: off
SENTENCES = {
    # bootstrap.py
    "{0} draws make no interval.": "{0} 次抽样得不出区间。",
    "Use {0} or more.": "请用 {0} 或更大的数。",
    "No line has a reference.": "没有一行有正确文字。",
    "Compare on lines with ground truth.": "请在有正确文字的行上对比。",
    "The two models were not scored on the same references.":
        "两个模型不是按相同的正确文字评分的。",
    "Read the same pictures with both and score them under the same profile.":
        "请用两个模型识别相同的图片，并按同一种规范评分。",
    # comparing.py
    "The {0} split of `{1}` is empty: nothing to compare.": "`{1}` 的{0}是空的，没有可对比的内容。",
    "Build the dataset from at least 3 different pictures with text; 300 are a good start.":
        "请用至少 3 张不同的、有文字的图片生成数据集；300 张是好的起点。",
    "Two of them are called `{0}`.": "其中有两个都叫 `{0}`。",
    "Give the texts another name.": "请给这些文字换一个名称。",
    "{0}; they count as failed.": "{0}；它们计为未能识别。",
    # comparisons.py
    "The {0} split holds no sample.": "{0}里没有样本。",
    "Compare on another split or add pictures.": "请在其他部分上对比，或添加图片。",
    # exporting.py
    "Read back: {0} tensors, names and shapes as in the base model; logits differ by at most "
    "{1} ({2} of their spread), and {3} of the likeliest tokens are the same.":
        "读回核对：{0} 个张量，名称和形状与基础模型一致；logits 最多相差 {1}（为其离散程度的 {2}"
        "），{3} 的最可能词元相同。",
    "The {0} tensors have the base model's names and shapes, in {1}.":
        "{0} 个张量的名称和形状与基础模型一致，类型为 {1}。",
    "`{0}` holds no adapter.": "`{0}` 里没有适配器。",
    "Name the folder of a finished run, or RUN/adapter.":
        "请指定已完成训练的文件夹，或 RUN/adapter。",
    "The adapter was trained on a folder `{0}`, which can be anywhere.":
        "这个适配器是在文件夹 `{0}` 的模型上训练的，它可能在任何地方。",
    "Say where with `--base FOLDER`.": "请用 `--base FOLDER` 说明位置。",
    "`{0}` is not an empty folder.": "`{0}` 不是空文件夹。",
    "Name a new one with `--merged`.": "请用 `--merged` 指定一个新的。",
    "The export in `{0}` does not read as the adapter does: its logits differ by {1}, {2} of "
    "their spread.":
        "`{0}` 里导出的模型与适配器读得不一样：logits 相差 {1}，为其离散程度的 {2}。",
    "Do not use it; report this with the base model and the adapter's details.json.":
        "请不要使用它；请附上基础模型和适配器的 details.json 反馈。",
    "The model cannot be written to `{0}`: {1}.": "模型无法写入 `{0}`：{1}。",
    "Make room on the disk, or name another folder.": "请清理磁盘空间，或换一个文件夹。",
    # families/merging.py
    "`{0}` holds values that {1} cannot.": "`{0}` 里有 {1} 表示不了的值。",
    "Use `--dtype bfloat16`; if you did, the adapter is damaged: train it again.":
        "请用 `--dtype bfloat16`；如果已经用了，说明适配器已损坏：请重新训练。",
    "There is no adapter to merge.": "没有可以合并的适配器。",
    "Load one first.": "请先加载一个。",
    "The adapter is of a special kind, which cannot be merged here.":
        "这个适配器是特殊类型，不能在这里合并。",
    "Merge it with the program that made it.": "请用制作它的程序合并。",
    "`{0}` was written as {1} {2}, not as {3} {4}.": "`{0}` 写成了 {1} {2}，而不是 {3} {4}。",
    "This is a fault of ocrtune: report it, and do not use the export.":
        "这是 ocrtune 的错误：请反馈，并且不要使用导出的模型。",
    # label_check.py
    "The train split of `{0}` has no line that nobody has checked.":
        "`{0}` 的训练集里，每一行都已有人核对。",
    "There is nothing left to look for.": "没有什么需要查找了。",
    "Stopped after {0} of {1} lines.": "在 {1} 行中的第 {0} 行之后停止。",
    # learning.py
    "The {0} split of `{1}` is empty: nothing to measure on.":
        "`{1}` 的{0}是空的，没有可以测量的内容。",
    "`{0}` holds a learning curve with other settings: {1}.":
        "`{0}` 里已有用其他设置画的学习曲线：{1}。",
    "Its points would not belong together: use those settings, or another `--output`.":
        "曲线上的点会对不上：请用那些设置，或换一个 `--output`。",
    "Remove it; its share is then made again.": "请删除它，之后会重新测量那一份。",
    "The shares were not read alike: {0}.": "各份不是用同样的方式识别的：{0}。",
    "Draw the curve into another folder, with one base model.":
        "请在另一个文件夹、用同一个基础模型画曲线。",
    "{0}: finished before, {1}.": "{0}：之前已完成，{1}。",
    "Stopped while the test lines were read.": "在识别测试行时停止。",
    # metrics.py
    "{0}{1} did not read the pictures of the dataset: {2} missing, {3} foreign ({4}).":
        "{0}{1} 识别的不是数据集里的图片：缺 {2} 张，多 {3} 张（{4}）。",
    "Read the whole split again and compare then.": "请重新识别整个部分，然后再对比。",
    "`{0}` occurs more than once in {1}.": "`{0}` 在{1}里出现了不止一次。",
    "Give each picture its own id.": "请给每张图片一个自己的 id。",
    # other_engines.py
    "Name the columns `picture_id` and `text` in the first line.":
        "请在第一行写上列名 `picture_id` 和 `text`。",
    "Name each file after its picture, such as `page_1.txt` for `page_1.png`.":
        "请让每个文件与图片同名，例如 `page_1.png` 对应 `page_1.txt`。",
    "`{0}` holds {1}.": "`{0}` 里有{1}。",
    "None of the {0} texts in `{1}`{2} belongs to one of the {3} pictures, such as `{4}`.":
        "`{1}` 里的 {0} 段文字{2}，没有一段属于那 {3} 张图片（例如 `{4}`）。",
    "Write the pictures' ids in the column `picture_id`.": "请在 `picture_id` 列里填写图片的 id。",
    "`{0}` has no text for it.": "`{0}` 里没有它的文字。",
    "`{0}` has two texts for `{1}`: `{2}` and `{3}`.":
        "`{0}` 里有 `{1}` 的两段文字：`{2}` 和 `{3}`。",
    "Leave one of them out.": "请去掉其中一段。",
    "The folder `{0}` holds {1}.": "文件夹 `{0}` 里{1}。",
    "Name a folder of texts, or a CSV.": "请指定放文字的文件夹，或一个 CSV。",
    "`{0}` is neither a folder nor a table.": "`{0}` 既不是文件夹，也不是表格。",
    "Give a folder of texts, or {0}.": "请给出放文字的文件夹，或 {0}。",
    "Line {0} of `{1}` is no row: {2}": "`{1}` 的第 {0} 行不是有效的一行：{2}",
    "`{0}` has the columns {1}.": "`{0}` 的列是{1}。",
    "`{0}` is no text.": "`{0}` 不是文本。",
    "Save it as plain text in UTF-8.": "请存为 UTF-8 纯文本。",
    "Zip the texts anew. {0}": "请重新打包文字。{0}",
    # power_law.py
    "Measure on lines with ground truth.": "请在有正确文字的行上测量。",
    # reading.py
    "There is not enough memory for this picture. Save it smaller or end other programs.":
        "内存不够识别这张图片。请存得小一些，或结束其他程序。",
    # picture_sources.py
    "`{0}` names no pages.": "`{0}` 不是页码。",
    "Write them like `1-3, 7`.": "请写成 `1-3, 7` 的形式。",
    "{0} has no contract.json: another program made it. It reads under the usual settings of "
    "`{1}`.":
        "{0} 没有 contract.json：是别的程序制作的。按 `{1}` 的通常设置识别。",
    "{0} was trained under another contract{1}{2}.": "{0} 是在另一种契约下训练的{1}{2}。",
    "The prompt is {0} because you asked for it; the adapter was trained with {1} and may read "
    "worse so.":
        "按您的要求，提示词是 {0}；适配器训练时用的是 {1}，这样可能读得差一些。",
    "Layout `{0}`.": "布局 `{0}`。",
    "The boxes cannot be written to `{0}`: {1}.": "位置框无法写入 `{0}`：{1}。",
    "Name another folder with `--boxes`.": "请用 `--boxes` 指定另一个文件夹。",
    # report.py
    "Make one with `python -m ocrtune compare`.": "请用 `python -m ocrtune compare` 制作一份。",
    "`{0}` is not a report of ocrtune: it lacks {1}.": "`{0}` 不是 ocrtune 的报告：缺少 {1}。",
    "`{0}` was written by another version of ocrtune (schema {1}).":
        "`{0}` 是由另一版本的 ocrtune 写的（格式 {1}）。",
    "Update ocrtune, or make the report again with `python -m ocrtune compare`.":
        "请更新 ocrtune，或用 `python -m ocrtune compare` 重新制作报告。",
    "`{0}` cannot be read as a report: {1}.": "`{0}` 无法作为报告读取：{1}。",
    "`{0}` is a report of an earlier ocrtune that cannot be counted again: {1}.":
        "`{0}` 是较早版本的 ocrtune 写的报告，无法重新计算：{1}。",
    # report_charts_png.py
    "Charts as PNG are in English, not in `{0}`: no font with its letters was found. Install "
    "one, such as `fonts-noto-cjk`, and run the same command again.":
        "PNG 图里的文字是英文，而不是 `{0}`：没有找到含有这些文字的字体。请安装一种，例如 "
        "`fonts-noto-cjk`，再运行同一命令。",
    "`{0}` is called `{1}` in chart_cer.png: no font with its letters was found.":
        "`{0}` 在 chart_cer.png 里写作 `{1}`：没有找到含有这些文字的字体。",
    # sample_index.py
    "`{0}` has no sample `{1}`.": "`{0}` 没有样本 `{1}`。",
    "See the ids with `--list --all`.": "可用 `--list --all` 查看各个 id。",
    # seen.py
    "{0} {1} sample occurs in the train split too: {2}.":
        "{1}中有 {0} 个样本也出现在训练集里：{2}。",
    "{0} {1} samples occur in the train split too: {2}.":
        "{1}中有 {0} 个样本也出现在训练集里：{2}。",
    "{0} {1} of them are left out.": "{0} 其中 {1} 个已排除。",
    "{0} They are read all the same; `--leave-out-seen` leaves them out.":
        "{0} 仍照样识别；`--leave-out-seen` 可以排除它们。",
    "All {0} samples occur in the train split too: none is left to compare on.":
        "全部 {0} 个样本都在训练集里出现过：没有剩下可对比的。",
    "Compare without `--leave-out-seen`, or with `--leave-out-seen pictures`, which keeps lines "
    "of which only the text is known; or build the dataset from more pictures.":
        "请不用 `--leave-out-seen` 来对比，或用 `--leave-out-seen pictures` 保留只有文字出现过的"
        "行；也可以用更多图片生成数据集。",
    # suspects.py
    "Make it with `python -m ocrtune compare`.": "请用 `python -m ocrtune compare` 制作。",
    # text.py
    "Choose one of: {0}.": "请从中选择：{0}。",
    "No normalisation profile is called `{0}`.": "没有名为 `{0}` 的规范。",
    # unit_strings.py
    "The texts hold more than {0} different units.": "文字里不同的单元超过 {0} 种。",
    "Compare fewer lines at a time.": "请一次对比少一些的行。",
}
PHRASES = {
    "{0} of them are left out.": "其中 {0} 个已排除。",
    "They are read all the same; `--leave-out-seen` leaves them out.":
        "仍照样识别；`--leave-out-seen` 可以排除它们。",
    "the dataset": "数据集",
    "The base model": "基础模型",
    "The tuned model": "微调模型",
    "`{0}` has no text for {1} of {2} pictures": "{2} 张图片中有 {1} 张在 `{0}` 里没有文字",
    "`{0}` was not read": "没有识别 `{0}`",
    "`{0}` is not in the dataset": "`{0}` 不在数据集里",
    "{0} tables, of which one would do": "有 {0} 个表格，而只需要一个",
    "no text and no table": "没有文字，也没有表格",
    ", such as `{0}`": "（例如 `{0}`）",
    "only ground truth (`*{0}`)": "只有正确文字（`*{0}`）",
    "no `*{0}`": "没有 `*{0}`",
    "of no table": "不像表格的列",
    "checkpoint of `{0}`": "`{0}` 的存档",
    "{0} by the same picture": "图片相同的 {0} 个",
    "{0} by nearly the same picture": "图片几乎相同的 {0} 个",
    "{0} by the same text in another picture": "另一张图片上文字相同的 {0} 个",
}
