"""Sentences of the Hub, jobs and machines, and their Chinese.

The key is the template of the English sentence, `{0}` for its first value; `sentences` tells how
it is found. PHRASES stand inside sentences.
"""

# fmt: off
SENTENCES = {
    # copying.py
    "The process that copies the run has ended.": "复制训练的进程已经结束。",
    "Leave out `--copy-to`.": "请去掉 `--copy-to`。",
    "`{0}` is not the folder of a run.": "`{0}` 不是训练的文件夹。",
    "Name the one that `train` wrote.": "请指定 `train` 写出的那个文件夹。",
    "{0} The run begins, and is copied as soon as it can be.": "{0}训练先开始，一有可能就会复制。",
    "Waiting for the last copy to the Hub; Ctrl-C leaves it to itself.":
        "正在等待最后一次复制到 Hub；按 Ctrl-C 可以不等。",
    "The last copy to the Hub took too long; the one before it is there.":
        "最后一次复制到 Hub 用时太久；Hub 上保留的是前一次的副本。",
    "The Hub does not answer; the run begins, and is copied as soon as it does.":
        "Hub 没有回应；训练先开始，等它回应后再复制。",
    # crashes.py
    "Then go on from what is kept, or start again.": "然后从已保存的内容继续，或重新开始。",
    "ocrtune itself failed ({0}: {1}).": "ocrtune 自身出错（{0}：{1}）。",
    "Try again; if it happens again, report it with the log.":
        "请再试一次；如果再次出现，请附上日志反馈。",
    "The disk is full.": "磁盘已满。",
    "Make room. {0}": "请清理空间。{0}",
    "The accelerator's memory ran out.": "显卡的显存用完了。",
    "End other programs that use it, or choose a smaller batch, layout or model. {0}":
        "请结束其他占用显卡的程序，或选择更小的批、布局或模型。{0}",
    "The machine's memory ran out.": "机器的内存用完了。",
    "End other programs, or choose a smaller batch, fewer pictures or a smaller model. {0}":
        "请结束其他程序，或选择更小的批、更少的图片或更小的模型。{0}",
    # far_side.py
    "The {0} minutes agreed on are over: what was learned is kept.":
        "约定的 {0} 分钟已到：已学到的内容已保留。",
    "Nobody knows why.": "原因不明。",
    "What was learned cannot be sent to {0}. {1}": "学到的内容无法送往 {0}。{1}",
    "Try again.": "请再试一次。",
    "The worker there ended without a word.": "那边的进程没有留下任何说明就结束了。",
    # flavors.py
    "There are: {0}.": "现有：{0}。",
    "There is no machine `{0}` on the Hub.": "Hub 上没有机器 `{0}`。",
    "`{0}` has {1} GPUs, and a run there uses one.": "`{0}` 有 {1} 个 GPU，而那里的训练只用一个。",
    "Choose a machine with one GPU: you would pay for all of them.":
        "请选择只有一个 GPU 的机器：否则您要为全部付费。",
    # hub.py
    "`{0}` of `{1}` is larger than {2} bytes.": "`{1}` 的 `{0}` 超过 {2} 字节。",
    "Choose another dataset.": "请选择另一个数据集。",
    "The Hub sent {0} bytes of `{1}` in place of {2}.":
        "Hub 发来了 `{1}` 的 {0} 字节，而应为 {2} 字节。",
    "Try again in a few minutes.": "请过几分钟再试。",
    # hub_adapters.py
    "`{0}` was changed at this very moment.": "`{0}` 刚好在此刻被修改。",
    # hub_datasets.py
    "`{0}` is public: everybody would see the pictures and texts. Nothing was sent.":
        "`{0}` 是公开的：所有人都会看到图片和文字。没有发送任何内容。",
    "Push with `--public` (on the page: choose public), make it private in its settings on the "
    "Hub, or choose another name.":
        "请用 `--public` 推送（在页面上选择公开），或在 Hub 的设置里改为私有，或换一个名称。",
    "The files to send cannot be written: {0}.": "要发送的文件无法写入：{0}。",
    "Make room on the disk, then push again.": "请清理磁盘空间，再重新推送。",
    "Somebody else has pushed to `{0}` at the same time.": "有人同时在推送 `{0}`。",
    "Push again.": "请重新推送。",
    "The Hub refuses what the card (`README.md`) says to machines.{0}":
        "Hub 拒绝了说明卡片（`README.md`）里给机器读的内容。{0}",
    "Correct the first lines of the card on the Hub, then push again.":
        "请在 Hub 上改正卡片开头的几行，再重新推送。",
    "The card (`README.md`) of that dataset begins with lines that are no YAML.":
        "那个数据集的说明卡片（`README.md`）开头几行不是 YAML。",
    "Correct it on the Hub, or choose another name.": "请在 Hub 上改正，或换一个名称。",
    "`{0}` on the Hub was deleted or renamed meanwhile.": "Hub 上的 `{0}` 在此期间被删除或改名。",
    # hub_layout.py
    "`{0}` has {1} subsets: {2}, ….": "`{0}` 有 {1} 个子集：{2}……",
    "`{0}` has {1} subsets: {2}.": "`{0}` 有 {1} 个子集：{2}。",
    "`{0}` is no dataset of the Hub.": "`{0}` 不是 Hub 上的数据集。",
    "Use the form `name/dataset`, or the address of its page.":
        "请使用 `用户名/数据集` 的形式，或它的网址。",
    "`{0}` has no subset `{1}`.": "`{0}` 没有子集 `{1}`。",
    "`{0}` has no split `{1}`.": "`{0}` 没有集合 `{1}`。",
    # hub_rows.py
    "`{0}` holds no rows.": "`{0}` 里没有行。",
    "Choose another dataset or split.": "请选择另一个数据集或集合。",
    "`{0}` of `{1}` has no column `{2}`.": "`{1}` 的 `{0}` 没有列 `{2}`。",
    "Choose another split with `--from-split`.": "请用 `--from-split` 选择另一个集合。",
    # hub_streams.py
    "`{0}` cannot be streamed: {1}.": "`{0}` 无法逐行读取：{1}。",
    "Choose another dataset, or download it and build from its files.":
        "请选择另一个数据集，或下载后用它的文件生成。",
    "`{0}` names files that are not its own, such as `{1}`.":
        "`{0}` 引用了不属于它的文件，例如 `{1}`。",
    "`{0}` needs a program of its own to be read, which is not run.":
        "`{0}` 要用它自带的程序才能读取，而这里不会运行那种程序。",
    "Choose a dataset with parquet files or pictures.": "请选择有 parquet 文件或图片的数据集。",
    # hub_writing.py
    "The Hub says: {0}.": "Hub 的答复：{0}。",
    # jobs.py
    "The worker ended without a word (exit code {0}); its log may say why.":
        "进程没有留下任何说明就结束了（退出码 {0}）；日志里也许有原因。",
    "The system ended the worker (signal 9), most often because memory ran out.":
        "系统结束了进程（信号 9），多半是内存不足。",
    "The worker was ended by signal {0}.": "进程被信号 {0} 结束。",
    "There is no such job.": "没有这个任务。",
    "It may have been deleted: start it again.": "它可能已被删除：请重新开始。",
    "No job can be started in `{0}`: {1}.": "无法在 `{0}` 启动任务：{1}。",
    "Set OCRTUNE_HOME to a folder that can be written to.":
        "请把 OCRTUNE_HOME 设为可以写入的文件夹。",
    "The run is under way.": "训练正在进行。",
    "Stop it first.": "请先停止它。",
    "The worker cannot be started: {0}.": "无法启动进程：{0}。",
    "Make room on the disk and in memory, then try again.": "请清理磁盘和内存，再试一次。",
    "Not all of `{0}` can be deleted.": "`{0}` 没能全部删除。",
    "Delete it by hand.": "请手动删除。",
    # licenses.py
    "Use the Hub's word, such as {0}; or other.": "请用 Hub 的名称，例如 {0}；或 other。",
    "There is no licence `{0}` on the Hub.": "Hub 上没有许可证 `{0}`。",
    # limits.py
    "On this shared machine a training learns from {0} samples at most: that many were drawn at "
    "random from the {1} of the train split, the same ones each time. Duplicate the Space to "
    "learn from all.":
        "在这台共享机器上，一次训练最多学习 {0} 个样本：从训练集的 {1} 个中随机抽取，每次抽到的都"
        "一样。复制此 Space 即可学习全部样本。",
    "The limit of this shared machine, {0} minutes a job, is reached. {1}. Duplicate the Space "
    "for no limit.":
        "已达到这台共享机器每个任务 {0} 分钟的上限。{1}。复制此 Space 即可不受限制。",
    "Give a whole number; 0 stands for no limit.": "请给出整数；0 表示没有上限。",
    "The run would take {0} steps; on this shared machine it may take {1}.":
        "这次训练需要 {0} 步；在这台共享机器上最多 {1} 步。",
    "Choose fewer steps or epochs, or duplicate the Space: your own has no limit.":
        "请减少步数或轮数，或复制此 Space：您自己的没有上限。",
    # offsite.py
    "The copies end; the run goes on.": "复制到此为止；训练继续。",
    "The run goes on.": "训练继续。",
    "Step {0} of {1}": "第 {0} 步，共 {1} 步",
    "`{0}` is not the address of a copy.": "`{0}` 不是副本的地址。",
    "Use the form `hf://USER/REPO/RUN`.": "请使用 `hf://USER/REPO/RUN` 的形式。",
    "`{0}` is not a repo id.": "`{0}` 不是有效的仓库名。",
    "Use the form `USER/{0}`.": "请使用 `用户名/{0}` 的形式。",
    "The run cannot be copied now: {0}.": "训练现在无法复制：{0}。",
    "ocrtune itself failed to copy the run ({0}).": "ocrtune 自身出错，没能复制训练（{0}）。",
    "`{0}` holds another run.": "`{0}` 里是另一次训练。",
    "Copy to another repository.": "请复制到另一个仓库。",
    "The run is copied to {0} again.": "训练又在复制到 {0}。",
    "given up": "已放弃",
    "The copy to the Hub failed. {0} {1}": "复制到 Hub 没有成功。{0} {1}",
    "`{0}` was changed by somebody else: the run may go on at another place.":
        "`{0}` 已被别人修改：这次训练可能正在别处继续。",
    "Copy this one to another repository.": "请把这次训练复制到另一个仓库。",
    "The run is not copied to the Hub. {0}": "训练没有复制到 Hub。{0}",
    "The run is copied to {0}, which is private.": "训练会复制到私有的 {0}。",
    "Please report it.": "请反馈这个问题。",
    # offsite_fetch.py
    "There are none.": "一个也没有。",
    "It was fetched from its copy on the Hub.": "它是从 Hub 上的副本取回的。",
    "{0} changes all the time.": "{0} 一直在变化。",
    "Try again in a minute.": "请过一分钟再试。",
    "`{0}` holds no run `{1}`.": "`{0}` 里没有训练 `{1}`。",
    "The copy, made after step {0} of {1}, holds no checkpoint: the run had finished, or it had "
    "not yet saved one.":
        "这个副本保存于第 {0} 步（共 {1} 步）之后，里面没有存档：训练已经结束，或还没来得及存档。",
    "Its files are on the Hub; start a new run with them.":
        "它的文件在 Hub 上；请用它们重新开始训练。",
    "`{0}` of the copy is damaged: its digest is another one.":
        "副本里的 `{0}` 已损坏：摘要不一致。",
    "Fetch it again.": "请重新取回。",
    "`{0}` is there already.": "`{0}` 已经存在。",
    "Go on with it by `--resume {0}`, or name another folder.":
        "请用 `--resume {0}` 继续它，或换一个文件夹。",
    "The run cannot be put into `{0}`: {1}.": "训练无法放入 `{0}`：{1}。",
    "Make room on the disk; it is kept at {0}.": "请清理磁盘空间；它保留在 {0}。",
    "Make room on the disk, or choose another folder.": "请清理磁盘空间，或换一个文件夹。",
    # offsite_files.py
    "`{0}` is no list of a copy that this ocrtune wrote: {1}.":
        "`{0}` 不是这个版本的 ocrtune 写的副本清单：{1}。",
    "Use the version of ocrtune that made the copy.": "请使用制作副本时的 ocrtune 版本。",
    # pushing.py
    "Seen by: {0}": "谁能看到：{0}",
    "`{0}` holds files that ocrtune did not put there, such as `{1}`.":
        "`{0}` 里有不是 ocrtune 放进去的文件，例如 `{1}`。",
    "Choose another name: a push would take the place of them.":
        "请换一个名称：否则推送会取代它们。",
    "The dataset was changed while it was being pushed. Nothing was sent.":
        "推送期间数据集被修改。没有发送任何内容。",
    "Push it again.": "请重新推送。",
    "It is private and stays so; make it public in its settings on the Hub.":
        "它是私有的，并保持私有；可在 Hub 的设置里改为公开。",
    # pushing_adapters.py
    "The adapter alone: [{0}](https://huggingface.co/{1}).":
        "单独的适配器：[{0}](https://huggingface.co/{1})。",
    "Pushing to `{0}` on the Hub, {1}, {2}.": "正在推送到 Hub 上的 `{0}`，{1}，{2}。",
    "`{0}` holds something else than an adapter of ocrtune: nothing was sent.":
        "`{0}` 里不是 ocrtune 的适配器：没有发送任何内容。",
    "Name another repository.": "请指定另一个仓库。",
    "`{0}` is public, and this push was to be private: nothing was sent.":
        "`{0}` 是公开的，而这次推送应为私有：没有发送任何内容。",
    "Say `--public` (on the page: choose public), or name another repository.":
        "请用 `--public`（在页面上选择公开），或换一个仓库。",
    "The report in `{0}` is about other weights than these.": "`{0}` 里的报告说的是另一套权重。",
    "Compare again, or name the report of this adapter.": "请重新对比，或指定这个适配器的报告。",
    "`{0}` holds no adapter: {1} is missing.": "`{0}` 里没有适配器：缺少 {1}。",
    # remote.py
    "Waiting for a machine `{0}`.": "正在等待机器 `{0}`。",
    "A machine `{0}` is there; it installs what it needs, which takes minutes.":
        "机器 `{0}` 已就绪，正在安装所需软件，需要几分钟。",
    "The run is on `{0}` at the Hub, and costs until it ends.":
        "训练正在 Hub 的 `{0}` 上进行，结束前会一直计费。",
    "Sign in first, so that it can be ended there.": "请先登录，才能在那边结束它。",
    "The run is on `{0}`, paid for by `{1}`.": "训练在 `{0}` 上进行，由 `{1}` 付费。",
    "Sign in as `{0}` to end it.": "请以 `{0}` 的身份登录来结束它。",
    "Nobody has said on which machine the run shall be.": "没有指定训练用哪台机器。",
    "This machine goes down, the run goes on at the Hub: Resume follows it again.":
        "这台机器即将关闭，Hub 上的训练继续：点“继续训练”会重新跟踪它。",
    "The {0}, `{1}`, is a folder of this machine.": "{0} `{1}` 是这台机器上的文件夹。",
    "Push it to the Hub and name its repo id, or let the run stay on this machine.":
        "请推送到 Hub 并填写它的仓库名，或在这台机器上训练。",
    "Sign in as `{0}` to follow it.": "请以 `{0}` 的身份登录来跟踪它。",
    "The run on `{0}` has ended, and another start costs again.":
        "`{0}` 上的训练已经结束，再次启动会再次收费。",
    "Agree to that to go on from the last copy.": "同意后会从最近的副本接着训练。",
    "The run is sent to {0}, which is private.": "训练内容会送到私有的 {0}。",
    "The run is on `{0}` for ${1} an hour, until it ends, {2} minutes (${3}) at most: {4}":
        "训练在 `{0}` 上进行，每小时 ${1}，直到结束，最多 {2} 分钟（${3}）：{4}",
    "`{0}` costs ${1} an hour by now, not ${2}. Nothing was started.":
        "`{0}` 现在每小时 ${1}，不是 ${2}。没有启动任何任务。",
    "Start the run again to agree to the new price.": "请重新开始训练，以同意新的价格。",
    "The run is asked to stop; it sends what it has learned first.":
        "已要求训练停止；它会先送回学到的内容。",
    "The adapter is saved.": "适配器已保存。",
    "Stopped; what was copied until then is kept.": "已停止；到那时为止复制的内容都保留着。",
    "The run on `{0}` is followed again: {1}": "重新跟踪 `{0}` 上的训练：{1}",
    "Stopped before it began.": "开始之前就停止了。",
    "It cannot be asked, so it is cancelled. {0}": "无法与它联系，所以取消了它。{0}",
    "{0} The run goes on there.": "{0}那边的训练继续进行。",
    "{0} Then Resume follows it again.": "{0}然后点“继续训练”会重新跟踪它。",
    "The run does not end by itself: it is cancelled.": "训练没有自行结束：已取消。",
    "The Hub does not answer; the run goes on there.": "Hub 没有回应；那边的训练继续进行。",
    # remote_package.py
    "`{0}` is missing beside the package `ocrtune`.": "软件包 `ocrtune` 旁边缺少 `{0}`。",
    "Install ocrtune again.": "请重新安装 ocrtune。",
    # resident.py
    "The process that reads ended in the midst of it, most often because memory ran out.":
        "负责识别的进程中途结束，多半是内存不足。",
    "Read the picture again.": "请重新识别这张图片。",
    # shared_adapters.py
    "{0} There is no such folder here either.": "{0}本机也没有这个文件夹。",
    "`{0}` was trained on a folder `{1}` of another machine.":
        "`{0}` 是在另一台机器的文件夹 `{1}` 上训练的。",
    "`{0}` does not say on what it was trained.": "`{0}` 没有说明是在什么模型上训练的。",
    "Name the same base model with `--base`.": "请用 `--base` 指定同一个基础模型。",
    "The adapter is `{0}` of the Hub, {1} MB.": "适配器是 Hub 上的 `{0}`，{1} MB。",
    "The adapter `{0}` is not on this machine any more.": "适配器 `{0}` 已不在这台机器上。",
    "Start again.": "请重新开始。",
    "{0} has its weights in a format that can run code when it is opened.":
        "{0} 的权重格式在打开时可能运行代码。",
    "Such files are never fetched: ask its owner for {0}.":
        "这种文件绝不下载：请向它的所有者索取 {0}。",
    "{0} holds no adapter: it lacks {1}.": "{0} 里没有适配器：缺少 {1}。",
    "It is a whole model: name it as the base model, `--base {0}`.":
        "它是一个完整的模型：请作为基础模型指定，`--base {0}`。",
    "Name a repository that `ocrtune push-adapter` or peft has written.":
        "请指定由 `ocrtune push-adapter` 或 peft 写出的仓库。",
    "`{0}` has {1} tensors, more than any adapter needs.":
        "`{0}` 有 {1} 个张量，超过任何适配器所需。",
    "Choose another adapter.": "请选择另一个适配器。",
    "{0} holds no settings.": "{0} 里没有设置。",
    "`{0}` of {1} has {2} bytes, more than the {3} that any adapter needs.":
        "{1} 的 `{0}` 有 {2} 字节，超过任何适配器所需的 {3}。",
    "It is not fetched. Choose another adapter.": "不会下载它。请选择另一个适配器。",
    "`{0}` of `{1}` is damaged: {2}.": "`{1}` 的 `{0}` 已损坏：{2}。",
    "Ask its owner to push it again, or choose another adapter.":
        "请让它的所有者重新推送，或选择另一个适配器。",
    "{0} cannot be read: {1}.": "{0} 无法读取：{1}。",
    "The Hub cannot be asked; `{0}` is used as it was fetched last.":
        "无法向 Hub 查询；使用上次下载的 `{0}`。",
    # turns.py
    "Nothing can be started in `{0}`: {1}.": "无法在 `{0}` 启动任何任务：{1}。",
    "Set OCRTUNE_HOME to a folder that can be written to, with room in it.":
        "请把 OCRTUNE_HOME 设为可以写入、还有空间的文件夹。",
    "The machine is too busy to start this.": "机器太忙，无法启动。",
    # worker.py
    "The worker did nothing for {0}, and was ended.": "进程有 {0}没有任何进展，已被结束。",
    "`{0}` is no job folder.": "`{0}` 不是任务文件夹。",
    "Leave `--job` away.": "请去掉 `--job`。",
    "`{0}` belongs to another worker.": "`{0}` 属于另一个进程。",
}
PHRASES = {
    "The copy to the Hub failed.": "复制到 Hub 没有成功。",
    "model": "模型",
    "dataset": "数据集",
    "adapter to begin with": "起始适配器",
    "no answer within {0} s": "{0} 秒内没有回应",
    "it answers {0}": "返回 {0}",
    "What was learned is kept": "已学到的内容已保留",
    "Nothing of it is kept": "没有保留任何内容",
    "its files do not stand still": "它的文件一直在变化",
    "it is of another version": "它属于另一版本",
    "it names `{0}`": "它提到了 `{0}`",
    "its header is no table": "它的文件头不是一张表",
    "`{0}` of `{1}`": "`{1}` 的 `{0}`",
    "its header would take {0} bytes": "它的文件头需要 {0} 字节",
    "exit code {0}": "退出码 {0}",
    "{0} minutes": "{0} 分钟",
}
