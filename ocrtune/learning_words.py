"""The words of a learning curve in the languages its page is written in."""

# What the curve says of more samples, by the kind of its forecast; `few` closes a sentence.
VERDICTS = {
    "en": {
        "gain": "Twice as many training samples ({samples:,}) would bring the CER from {now} to "
        "about {cer} (95 % interval {low} to {high}), if the curve goes on as it has{few}.",
        "flat": "That more samples would lower the CER is not decided: {samples:,} of them may "
        "bring anything from {low} to {high} CER; it is {now} today{few}.",
        "rising": "The CER rises from a smaller share to a larger one by more than the choice of "
        "test lines explains. That is training's own luck: take more steps or another seed before "
        "trusting the curve{few}.",
        "few_points": "What more samples would bring cannot be said from fewer than three "
        "different numbers of samples{few}.",
        "perfect": "All test lines are read without an error: more samples cannot be seen to help "
        "on them{few}.",
        "nothing": "No test line has ground truth, so there is no CER to draw a curve of.",
        "few": "; with only {lines} test lines this is no more than a hint",
    },
    "zh": {
        "gain": "若曲线照此延续，训练样本增加一倍（{samples:,} 个）可使 CER 从 {now} 降到约 {cer}"
        "（95 % 区间 {low} 到 {high}）{few}。",
        "flat": "尚不能判断更多样本是否会降低 CER：{samples:,} 个样本时 CER 可能在 {low} 到 {high} "
        "之间，目前为 {now}{few}。",
        "rising": "从较小份额到较大份额，CER 反而上升，超出了测试行的随机性所能解释的程度。这是训练"
        "本身的偶然：请先增加步数或更换种子，再相信这条曲线{few}。",
        "few_points": "少于三种不同的样本数，无法判断更多样本会带来什么{few}。",
        "perfect": "所有测试行都读得毫无错误：在这些行上看不出更多样本的作用{few}。",
        "nothing": "没有一行测试文本，因此没有可画成曲线的 CER。",
        "few": "；只有 {lines} 行测试文本，仅供参考",
    },
}

WORDS = {
    "en": {
        "title": "Learning curve",
        "chart": "CER by the number of training samples, with 95 % intervals",
        "few_lines": "Grey: with fewer than {few} lines an interval is only a hint.",
        "share": "share",
        "samples": "samples",
        "steps": "steps",
        "passes": "passes",
        "cer": "CER",
        "interval": "95 % interval",
        "change": "against the one before, points",
        "base": "base model",
        "forecast": "expected",
        "undecided": "undecided",
        "unfinished": "Not finished: the same command goes on with it.",
        "same_steps": "All runs took equally many steps, so that only the samples differ; each "
        "keeps its best weights by the validation split. A smaller share is contained in every "
        "larger one.",
        "same_epochs": "All runs took equally many passes over their samples, so that smaller "
        "shares also learned in fewer steps. A smaller share is contained in every larger one.",
        "unseen": "The run on all {samples} samples saw only part of them: take more steps to see "
        "what they bring.",
        "doubt": "The intervals come from drawing the test lines anew; the luck of a single "
        "training run is not in them.",
        "measured": "Measured on {lines} lines of the {split} split of {data}.",
        "seen": "{seen} of them occur in the whole train split too.",
    },
    "zh": {
        "title": "学习曲线",
        "chart": "CER 与训练样本数（带 95 % 区间）",
        "few_lines": "灰色：少于 {few} 行时，区间仅供参考。",
        "share": "份额",
        "samples": "样本",
        "steps": "步数",
        "passes": "遍数",
        "cer": "CER",
        "interval": "95 % 区间",
        "change": "与前一项相差的百分点",
        "base": "基础模型",
        "forecast": "预计",
        "undecided": "未定",
        "unfinished": "尚未完成：再次运行同一命令即可继续。",
        "same_steps": "各次训练步数相同，只有样本不同；每次都保留验证集上最好的权重。"
        "较小的份额都包含在较大的份额之中。",
        "same_epochs": "各次训练把自己的样本学习同样多遍，因此较小的份额步数也较少。"
        "较小的份额都包含在较大的份额之中。",
        "unseen": "使用 {samples} 个样本的训练只看到了其中一部分：增加步数才能看出它们的作用。",
        "doubt": "区间来自对测试行的重新抽样；单次训练的偶然性不在其中。",
        "measured": "在 {data} 的 {split} 集的 {lines} 行上测得。",
        "seen": "其中 {seen} 行也出现在整个训练集中。",
    },
}
