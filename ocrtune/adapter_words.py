"""The sentences on an adapter's card."""

CODE = """
## How to use it

{ours}

{other}

{merged}
"""

CODE_OF_OCRTUNE = """With ocrtune, which fetches the weights and keeps to the
settings that the adapter was trained under:

```
python -m ocrtune read picture.png --adapter {repo}{extra}
python -m ocrtune compare --data my/dataset --adapter {repo}{extra} --output my/report
python -m ocrtune train --data my/dataset --base {base} --start-from {repo} --output my/run
```"""

CODE_OF_OUR_NETWORK = """In Python, with peft. The network is ocrtune's own: transformers has no
class with these names, so `ocrtune` has to be installed.

```python
from pathlib import Path

from peft import PeftModel

from ocrtune.families.loading import load_base
from ocrtune.reading import read_samples

loaded = load_base("{base}")
loaded.model = PeftModel.from_pretrained(loaded.model, "{repo}").eval()
pictures = [("picture.png", Path("picture.png").read_bytes())]
print(read_samples(loaded, pictures)[0].text)
```

The contract below has the prompt and the layout; where they are not the usual ones of `{base}`, let
`ocrtune read` set them. Programs that know neither can use a merged model, which `python -m ocrtune
export {repo} --merged FOLDER` writes."""

CODE_OF_TRANSFORMERS = """With transformers and peft, without ocrtune:

```python
import torch
from peft import PeftModel
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

base, revision = "{base}", "{revision}"
processor = AutoProcessor.from_pretrained(base, revision=revision)
model = AutoModelForImageTextToText.from_pretrained(base, revision=revision, dtype="auto")
model = PeftModel.from_pretrained(model, "{repo}").eval()

picture = Image.open("picture.png").convert("RGB")
content = [{{"type": "image", "image": picture}}{question}]
inputs = processor.apply_chat_template(
    [{{"role": "user", "content": content}}],
    add_generation_prompt=True,
    tokenize=True,
    return_dict=True,
    return_tensors="pt",
).to(model.device, model.dtype)
with torch.inference_mode():
    written = model.generate(**inputs, max_new_tokens={tokens}, do_sample=False)
print(processor.decode(written[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
```"""

NO_CODE = """Use it with ocrtune, or merge it for other programs: `python -m ocrtune export
{repo} --merged FOLDER`. peft's own loader finds other names in this kind of model and would leave
the weights out with no more than a warning."""

PAGE = {
    "head": """# {name}

A LoRA adapter for OCR, made with ocrtune. It was trained on {base} (family `{family}`).""",
    "result": """## What it brings

Character error rate (CER: wrong, missing and superfluous characters per character of the right
text) on the {split} split{data}, {lines:,} samples, read by both models under the same settings
(profile `{profile}`):

| | CER | errors | characters | exact samples |
|---|---|---|---|---|
{rows}

Difference: {change} percentage points{between}. {few}Figures and misread characters are in
`report.json`.""",
    "interval": ", 95 % interval {low} to {high} (paired bootstrap over samples)",
    "few": "There were few samples: take the interval as a hint. ",
    "no_result": """## What it brings

It was not compared with its base model when it was pushed.""",
    "merged": "The merged model, for other programs, is [{repo}](https://huggingface.co/{repo}).",
    "examples": """## Three readings

At equal steps from the worst to the best reading; nobody picked them.""",
    "recipe": """## How it was made

{data} Hardware: {hardware}. Time: {minutes} minutes. Made with {versions}.

{table}""",
    "no_recipe": """## How it was made

The run left no details.""",
    "on_dataset": "Trained on [{dataset}](https://huggingface.co/datasets/{dataset}).",
    "on_own": "Trained on pictures of its author, which are not shared.",
    "contract": """## The contract

Under what it was trained; `contract.json` says the same to machines.

""",
    "license": """## Licence

`{license}`.""",
    "no_license": """## Licence

Its author has not said under what licence it may be used.""",
    "base_license": "The base model `{base}` has its own.",
}

CHINESE = {
    "page": """## 中文说明

这是用 ocrtune 在 `{base}` 上训练的 OCR LoRA 适配器。{result}。

用法：

```
python -m ocrtune read 图片.png --adapter {repo}{extra}
```

训练时的提示词、版面和解码设置写在 `contract.json` 中，ocrtune 会自动遵守。""",
    "result": "在 {lines} 个测试样本上，字符错误率（CER）从 {base} 变为 {tuned}",
    "interval": "（差值的 95% 区间：{low} 到 {high} 个百分点）",
    "no_result": "发布时没有与基础模型做过对比",
}
