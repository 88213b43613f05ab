"""The words of a checkup, English and Chinese: what was found, and what to do about it."""

CHECKS = {  # in the order in which they are made
    "packages": ("Packages", "软件包"),
    "memory": ("Memory", "内存"),
    "disk": ("Disk", "磁盘"),
    "home": ("Own folder", "数据文件夹"),
    "driver": ("Driver", "显卡驱动"),
    "hub": ("Hugging Face Hub", "Hugging Face Hub"),
    "torch": ("torch", "torch"),
    "gpu": ("GPU", "显卡"),
    "gpu_memory": ("GPU memory", "显存"),
    "product": ("Computing", "计算"),
    "four_bit": ("4-bit layer", "4 位量化层"),
    "kernels": ("Own kernels", "自带内核"),
    "reading": ("Reading", "试读"),
}
STATES = {"ok": ("ok", "正常"), "warning": ("warning", "注意"), "problem": ("problem", "问题")}
WORDS = {  # found in English, to do in English, found in Chinese, to do in Chinese
    "packages_ok": ("{count} packages, as pinned.", "", "{count} 个软件包，版本与要求一致。", ""),
    "packages_unknown": (
        "`requirements.txt` is not there to compare with.",
        "Start ocrtune from its own folder.",
        "找不到用于对照的 `requirements.txt`。",
        "请在 ocrtune 自己的文件夹里运行。",
    ),
    "packages_differ": (
        "Other than pinned: {listed}.",
        "It may work. If it does not, type `pip install -r {file}`.",
        "与要求的版本不同：{listed}。",
        "也许可以正常使用；如果不行，请运行 `pip install -r {file}`。",
    ),
    "packages_missing": (
        "Missing: {listed}.",
        "Type `pip install -r {file}`.",
        "缺少：{listed}。",
        "请运行 `pip install -r {file}`。",
    ),
    "packages_gpu": (
        "Missing, and of use on this GPU: {listed}.",
        "ocrtune goes on without them. To have them, type `pip install -r requirements.txt`.",
        "缺少可在这块显卡上使用的：{listed}。",
        "没有它们也能运行；需要时请运行 `pip install -r requirements.txt`。",
    ),
    "memory_ok": (
        "{free} of {total} GB free.",
        "",
        "共 {total} GB，可用 {free} GB。",
        "",
    ),
    "memory_little": (
        "Only {free} of {total} GB free.",
        "tiny will do. A large model needs 8 GB: end other programs.",
        "共 {total} GB，只有 {free} GB 可用。",
        "运行 tiny 足够；大模型需要 8 GB，请关闭其他程序。",
    ),
    "memory_none": (
        "Only {free} of {total} GB free: no model fits.",
        "End other programs.",
        "共 {total} GB，只有 {free} GB 可用：放不下任何模型。",
        "请关闭其他程序。",
    ),
    "disk_ok": ("{free} GB free.", "", "可用 {free} GB。", ""),
    "disk_little": (
        "Only {free} GB free.",
        "A 3 B model takes 7 GB. Make room, or point HF_HOME and OCRTUNE_HOME to another disk.",
        "只有 {free} GB 可用。",
        "3 B 的模型需要 7 GB。请腾出空间，或让 HF_HOME 和 OCRTUNE_HOME 指向另一块磁盘。",
    ),
    "disk_full": (
        "Only {free} GB free: a run cannot save what it learns.",
        "Make room, or point OCRTUNE_HOME to another disk.",
        "只有 {free} GB 可用：训练结果无法保存。",
        "请腾出空间，或让 OCRTUNE_HOME 指向另一块磁盘。",
    ),
    "home_ok": ("Can be written to.", "", "可以写入。", ""),
    "home_locked": (
        "Cannot be written to: {why}.",
        "Set OCRTUNE_HOME to a folder that can be written to.",
        "无法写入：{why}。",
        "请把 OCRTUNE_HOME 设为可以写入的文件夹。",
    ),
    "home_elsewhere": (
        "OCRTUNE_HOME cannot be written to; another folder is used, which a restart empties.",
        "Mount a bucket there in the Space's settings, or download what you want to keep.",
        "OCRTUNE_HOME 无法写入，已改用另一个文件夹，重启后其中的内容会丢失。",
        "请在 Space 的设置里挂载存储桶，或及时下载需要保留的内容。",
    ),
    "home_forgets": (
        "A restart of the Space empties it.",
        "Mount a bucket in the Space's settings, or download what you want to keep.",
        "Space 重启后其中的内容会丢失。",
        "请在 Space 的设置里挂载存储桶，或及时下载需要保留的内容。",
    ),
    "hub_signed_in": ("Reachable; signed in as {name}.", "", "可以访问；已登录：{name}。", ""),
    "hub_anonymous": (
        "Reachable; nobody is signed in.",
        "Needed for sharing only: `hf auth login`, or the button on a Space.",
        "可以访问；没有登录。",
        "只有分享时才需要登录：`hf auth login`，或 Space 上的按钮。",
    ),
    "hub_refused": (
        "Reachable, but it does not accept the token.",
        "Sign in again.",
        "可以访问，但令牌未被接受。",
        "请重新登录。",
    ),
    "hub_away": (
        "Cannot be reached ({why}).",
        "Everything but sharing and fetching works. Check the connection, or HF_ENDPOINT.",
        "无法访问（{why}）。",
        "除分享和下载外都能使用。请检查网络连接或 HF_ENDPOINT。",
    ),
    "hub_offline": (
        "HF_HUB_OFFLINE keeps this machine away from it.",
        "Unset it to share or to fetch models.",
        "已设置 HF_HUB_OFFLINE，不会访问 Hub。",
        "需要分享或下载模型时请取消该设置。",
    ),
    "torch_ok": ("Version {version}, CUDA {cuda}.", "", "版本 {version}，CUDA {cuda}。", ""),
    "torch_cpu": ("Version {version}, without CUDA.", "", "版本 {version}，不带 CUDA。", ""),
    "torch_missing": (
        "Not installed: datasets can be built, but nothing can learn or read.",
        "Type `pip install -r {file}`.",
        "未安装：可以制作数据集，但不能训练和识别。",
        "请运行 `pip install -r {file}`。",
    ),
    "torch_broken": (
        "It, or what it is used with, cannot be loaded: {why}",
        "Type `pip install --force-reinstall -r {file}`.",
        "它或与它一起使用的软件包无法加载：{why}",
        "请运行 `pip install --force-reinstall -r {file}`。",
    ),
    "driver_ok": ("NVIDIA {driver}.", "", "NVIDIA {driver}。", ""),
    "driver_none": (
        "There is no NVIDIA GPU: only tiny will run here.",
        "Larger models run on a Space with a GPU, or on a free Colab T4 (see the README).",
        "没有 NVIDIA 显卡：这里只能运行 tiny。",
        "更大的模型可以在带显卡的 Space 上运行，或使用免费的 Colab T4（见 README）。",
    ),
    "driver_no_cuda": (
        "There is an NVIDIA GPU, but this torch was built without CUDA.",
        "Type `pip install -r requirements.txt`.",
        "有 NVIDIA 显卡，但安装的 torch 不带 CUDA。",
        "请运行 `pip install -r requirements.txt`。",
    ),
    "driver_old": (
        "NVIDIA {driver} does not serve CUDA {cuda}, which torch needs.",
        "Install a newer driver, or a torch for an older CUDA.",
        "NVIDIA 驱动 {driver} 不支持 torch 所需的 CUDA {cuda}。",
        "请安装更新的驱动，或适用于较早 CUDA 的 torch。",
    ),
    "gpu_modern": (
        "{name}, capability {capability}: computes in bf16.",
        "",
        "{name}，计算能力 {capability}：用 bf16 计算。",
        "",
    ),
    "gpu_older": (
        "{name}, capability {capability}: computes in fp16.",
        "",
        "{name}，计算能力 {capability}：用 fp16 计算。",
        "",
    ),
    "gpu_old": (
        "{name}, capability {capability}: older than what ocrtune was made for.",
        "Use a T4 or newer.",
        "{name}，计算能力 {capability}：过旧，ocrtune 不保证可用。",
        "请使用 T4 或更新的显卡。",
    ),
    "gpu_memory_ok": (
        "{free} of {total} GB free.",
        "",
        "共 {total} GB，可用 {free} GB。",
        "",
    ),
    "gpu_memory_small": (
        "{free} of {total} GB free: too little for DeepSeek-OCR, which needs 14 GB.",
        "Choose tiny or a model below 1 billion weights, or a larger GPU.",
        "共 {total} GB，可用 {free} GB：不够运行需要 14 GB 的 DeepSeek-OCR。",
        "请选择 tiny 或 10 亿参数以下的模型，或使用更大的显卡。",
    ),
    "gpu_memory_busy": (
        "Other programs use it: {free} of {total} GB free.",
        "End them first; `nvidia-smi` names them.",
        "被其他程序占用：共 {total} GB，可用 {free} GB。",
        "请先结束这些程序；`nvidia-smi` 会列出它们。",
    ),
    "product_ok": (
        "A product in fp16 on {device} is right ({milliseconds} ms).",
        "",
        "在 {device} 上用 fp16 计算的乘积正确（{milliseconds} 毫秒）。",
        "",
    ),
    "product_wrong": (
        "A product in fp16 on {device} came out wrong.",
        "Restart the machine; if it stays so, the GPU or its driver is broken.",
        "在 {device} 上用 fp16 计算的乘积有误。",
        "请重启机器；如果仍然如此，说明显卡或驱动已损坏。",
    ),
    "four_bit_ok": (
        "bitsandbytes {version} computes.",
        "",
        "bitsandbytes {version} 可用。",
        "",
    ),
    "four_bit_broken": (
        "bitsandbytes does not work here: {why}",
        "ocrtune goes on without it: AdamW in 32 bits takes a little more memory.",
        "bitsandbytes 在这里无法使用：{why}",
        "没有它也能运行：32 位 AdamW 会多占一点内存。",
    ),
    "kernels_ok": (
        "The Triton kernels give right products.",
        "",
        "Triton 内核计算正确。",
        "",
    ),
    "kernels_slow": (
        "The Triton kernels do not run here: DeepSeek-OCR learns right, but slowly.",
        "Install the torch that `requirements.txt` names, which brings Triton along.",
        "Triton 内核在这里无法运行：DeepSeek-OCR 能正确训练，但较慢。",
        "请安装 `requirements.txt` 中指定的 torch，它自带 Triton。",
    ),
    "reading_ok": (
        "tiny read “{text}” right ({seconds} s, loading included).",
        "",
        "tiny 正确读出“{text}”（含加载共 {seconds} 秒）。",
        "",
    ),
    "reading_wrong": (
        "tiny read “{found}” where “{text}” stands.",
        "Install ocrtune again; if it stays so, this machine computes wrongly.",
        "tiny 把“{text}”读成了“{found}”。",
        "请重新安装 ocrtune；如果仍然如此，说明这台机器的计算有误。",
    ),
    "failed": (
        "Failed: {why}",
        "If this is not clear, report it with this line.",
        "失败：{why}",
        "如果不清楚原因，请附上这一行反馈。",
    ),
    "died": (
        "The process that tried it was ended ({why}).",
        "The memory may have run out, or the driver does not fit torch.",
        "尝试时进程被终止（{why}）。",
        "可能是内存不足，或驱动与 torch 不匹配。",
    ),
    "late": (
        "No answer within {seconds} seconds.",
        "Another program may hold the machine; try again when it has ended.",
        "{seconds} 秒内没有结果。",
        "可能有其他程序占用机器；等它结束后再试。",
    ),
}
SUMMARIES = {
    "ok": ("Everything works.", "一切正常。"),
    "warning": ("It works, with warnings: {count}.", "可以使用，但有 {count} 处需要注意。"),
    "problem": ("Problems: {count}.", "发现 {count} 个问题。"),
}
LANGUAGES = ("en", "zh")


def title_of(check: str, language: str = "en") -> str:
    """Return what was checked."""
    return CHECKS[check][LANGUAGES.index(language)]


def state_of(state: str, language: str = "en") -> str:
    """Return how it is, in one word."""
    return STATES[state][LANGUAGES.index(language)]


def found_and_fix(key: str, values: dict[str, str], language: str = "en") -> tuple[str, str]:
    """Return what was found, and what to do about it; the second is empty if that is nothing."""
    at = 2 * LANGUAGES.index(language)
    found, fix = WORDS[key][at : at + 2]
    return found.format(**values), fix.format(**values)


def summary(states: list[str], language: str = "en") -> str:
    """Return what all checks together say."""
    worst = next((state for state in ("problem", "warning") if state in states), "ok")
    return SUMMARIES[worst][LANGUAGES.index(language)].format(count=states.count(worst))
