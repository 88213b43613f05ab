"""What the Hub's refusals are called, English and Chinese side by side: what happened, what to do.

A key that ends in `_space` takes the place of the same one without it for visitors of a Space, who
have no command line there.
"""

import os
from collections.abc import Mapping

from ocrtune.errors import HubBusyError, HubConflictError, HubError

TOKENS = "https://huggingface.co/settings/tokens"
BILLING = "https://huggingface.co/settings/billing"
Pair = tuple[str, str]

WORDS: dict[str, tuple[Pair, Pair]] = {
    # reading
    "gated": (
        (
            "`{repo}` asks its users to accept conditions.",
            "Accept them on {page} and sign in with `hf auth login`.",
        ),
        ("使用 `{repo}` 前需要先接受它的条款。", "请在 {page} 接受，并用 `hf auth login` 登录。"),
    ),
    "gated_space": (
        (
            "`{repo}` asks its users to accept conditions.",
            "Accept them on {page}. If it is refused all the same, use it on your own machine: the "
            "sign-in here reaches only what was made here.",
        ),
        (
            "使用 `{repo}` 前需要先接受它的条款。",
            "请在 {page} 接受。如果仍被拒绝，请在自己的机器上使用：这里的登录只能访问在这里创建的"
            "内容。",
        ),
    ),
    "missing": (
        (
            "There is no {kind} `{repo}` on the Hub, or this account may not see it.",
            "Check the spelling; sign in with `hf auth login` if it is private.",
        ),
        (
            "Hub 上没有{kind} `{repo}`，或当前账号无权查看。",
            "请检查拼写；如果是私有的，请用 `hf auth login` 登录。",
        ),
    ),
    "missing_dataset": (
        (
            "There is no {kind} `{repo}` on the Hub, or this account may not see it.",
            "Check the spelling; sign in with `hf auth login` if it is private. There is no such "
            "file or folder here either.",
        ),
        (
            "Hub 上没有{kind} `{repo}`，或当前账号无权查看。",
            "请检查拼写；如果是私有的，请用 `hf auth login` 登录。本机也没有这个文件或文件夹。",
        ),
    ),
    "missing_space": (
        (
            "There is no {kind} `{repo}` on the Hub, or this account may not see it.",
            "Check the spelling. What is private and was not made here can be used on your own "
            "machine.",
        ),
        (
            "Hub 上没有{kind} `{repo}`，或当前账号无权查看。",
            "请检查拼写。不是在这里创建的私有内容，请在自己的机器上使用。",
        ),
    ),
    "no_revision": (
        ("`{repo}` has no revision `{revision}`.", "Use `main` or a commit of that {kind}."),
        ("`{repo}` 没有版本 `{revision}`。", "请使用 `main` 或该{kind}的某次提交。"),
    ),
    "bad_id": (
        (
            "`{repo}` is not a repo id.",
            "Use the form `name/{kind}`, as in the page's address.",
        ),
        ("`{repo}` 不是有效的仓库名。", "请使用 `用户名/名称` 的形式，与网页地址中的一致。"),
    ),
    "unreachable": (
        (
            "The Hub cannot be reached, and `{repo}` is not on this machine yet.",
            "Check the connection.",
        ),
        ("无法连接 Hub，本机也还没有 `{repo}`。", "请检查网络连接。"),
    ),
    "unreachable_model": (
        (
            "The Hub cannot be reached, and `{repo}` is not on this machine yet.",
            "Check the connection, or use `--base tiny`, which needs none.",
        ),
        (
            "无法连接 Hub，本机也还没有 `{repo}`。",
            "请检查网络连接，或使用无需下载的 `--base tiny`。",
        ),
    ),
    "unreachable_dataset": (
        (
            "The Hub cannot be reached, and `{repo}` is not on this machine yet.",
            "Check the connection, or build from files of this machine.",
        ),
        ("无法连接 Hub，本机也还没有 `{repo}`。", "请检查网络连接，或使用本机的文件构建。"),
    ),
    "expired": (
        (
            "The Hub does not accept this account's token (401) for `{repo}`.",
            "Sign in again with `hf auth login`, or unset HF_TOKEN.",
        ),
        (
            "Hub 不接受当前账号的令牌（401）：`{repo}`。",
            "请用 `hf auth login` 重新登录，或取消 HF_TOKEN。",
        ),
    ),
    "expired_space": (
        (
            "The Hub does not accept this account's token (401) for `{repo}`.",
            "Sign in again at the top of the page, then repeat this.",
        ),
        (
            "Hub 不接受当前账号的令牌（401）：`{repo}`。",
            "请在页面顶部重新登录，然后再操作一次。",
        ),
    ),
    "no_reading": (
        (
            "This account may not read `{repo}` (403).",
            "Ask its owner, or use another token.",
        ),
        ("当前账号无权读取 `{repo}`（403）。", "请联系它的所有者，或换一个令牌。"),
    ),
    "too_often": (
        (
            "The Hub was asked too often (429) when reading `{repo}`.",
            "Try again in a few minutes; signed in, more is allowed.",
        ),
        (
            "读取 `{repo}` 时请求过于频繁（429）。",
            "请过几分钟再试；登录后允许更多请求。",
        ),
    ),
    "too_often_wait": (
        (
            "The Hub was asked too often (429) when reading `{repo}`.",
            "Try again in {seconds} seconds; signed in, more is allowed.",
        ),
        (
            "读取 `{repo}` 时请求过于频繁（429）。",
            "请在 {seconds} 秒后再试；登录后允许更多请求。",
        ),
    ),
    "unsound": (
        (
            "The Hub gave no sound answer when asked for `{repo}`.",
            "Try again in a few minutes.",
        ),
        ("请求 `{repo}` 时，Hub 没有给出有效的答复。", "请过几分钟再试。"),
    ),
    "answered": (
        (
            "The Hub answered {status} when asked for `{repo}`.",
            "Try again in a few minutes.",
        ),
        ("请求 `{repo}` 时，Hub 返回 {status}。", "请过几分钟再试。"),
    ),
    "no_storing": (
        (
            "`{repo}` cannot be stored: {why}.",
            "Make room on the disk (a 3 B model takes 7 GB) or point HF_HOME to another one.",
        ),
        (
            "无法保存 `{repo}`：{why}。",
            "请清理磁盘空间（3 B 的模型需要 7 GB），或让 HF_HOME 指向另一块磁盘。",
        ),
    ),
    # writing
    "nobody": (
        (
            "Nobody is signed in who could use `{repo}`.",
            f"Sign in with `hf auth login`, with a token of {TOKENS} that may write.",
        ),
        (
            "使用 `{repo}` 需要登录。",
            f"请用 `hf auth login` 登录，令牌须有写入权限，可在 {TOKENS} 创建。",
        ),
    ),
    "nobody_space": (
        (
            "Nobody is signed in who could use `{repo}`.",
            "Sign in at the top of the page, then repeat this.",
        ),
        ("使用 `{repo}` 需要登录。", "请在页面顶部登录，然后再操作一次。"),
    ),
    "sign_in_over": (
        (
            "The sign-in of {name} has expired.",
            "Open this page again and sign in: then it goes on.",
        ),
        ("{name} 的登录已过期。", "请重新打开本页面并登录，之后会继续。"),
    ),
    "away": (
        (
            "`{repo}` on the Hub cannot be reached now.",
            "Check the connection and try again.",
        ),
        ("现在无法连接 Hub 上的 `{repo}`。", "请检查网络连接后再试。"),
    ),
    "busy": (
        ("The Hub answers {status} when `{repo}` is used.", "Try again in a few minutes."),
        ("使用 `{repo}` 时，Hub 返回 {status}。", "请过几分钟再试。"),
    ),
    "busy_wait": (
        ("The Hub answers {status} when `{repo}` is used.", "Try again in {seconds} seconds."),
        ("使用 `{repo}` 时，Hub 返回 {status}。", "请在 {seconds} 秒后再试。"),
    ),
    "no_token": (
        (
            "The Hub does not accept the token (401) for `{repo}`.",
            f"Sign in again, with a token of {TOKENS} that may write.",
        ),
        (
            "Hub 不接受这个令牌（401）：`{repo}`。",
            f"请重新登录，令牌须有写入权限，可在 {TOKENS} 创建。",
        ),
    ),
    "no_token_space": (
        (
            "The Hub does not accept the token (401) for `{repo}`.",
            "Sign in again at the top of the page, then repeat this: nothing is lost.",
        ),
        (
            "Hub 不接受这个令牌（401）：`{repo}`。",
            "请在页面顶部重新登录，然后再操作一次：没有丢失任何内容。",
        ),
    ),
    "no_room": (
        (
            "This account has no room left for `{repo}` ({status}).",
            "Delete what is no longer needed on the Hub (it counts for up to 36 hours more), or "
            "choose another account.",
        ),
        (
            "这个账号已没有空间存放 `{repo}`（{status}）。",
            "请在 Hub 上删除不再需要的内容（最多还会计入 36 小时），或换一个账号。",
        ),
    ),
    "not_paid": (
        (
            "The Hub asks for a paid plan or credit (402) for `{repo}`.",
            f"See {BILLING}, or choose another account.",
        ),
        (
            "`{repo}` 需要付费方案或余额（402）。",
            f"请查看 {BILLING}，或换一个账号。",
        ),
    ),
    "no_writing": (
        (
            "This token may not write to `{repo}` (403).",
            f"Use one of {TOKENS} that may write there, or a repository of your own.",
        ),
        (
            "这个令牌无权写入 `{repo}`（403）。",
            f"请使用在 {TOKENS} 创建的、可写入该处的令牌，或换成您自己的仓库。",
        ),
    ),
    "no_writing_space": (
        (
            "This sign-in may not write to `{repo}` (403).",
            "It may write to what was made here, in your account and in organisations that you let "
            "it into: choose another name, or sign out and in again to let it into more.",
        ),
        (
            "这次登录无权写入 `{repo}`（403）。",
            "它只能写入在这里创建的内容，范围是您的账号和您授权的组织：请换一个名称，或退出后重新"
            "登录并授权更多组织。",
        ),
    ),
    "conflict": (
        (
            "`{repo}` was changed by somebody else meanwhile ({status}).",
            "Try again.",
        ),
        ("`{repo}` 在此期间被他人修改（{status}）。", "请再试一次。"),
    ),
    "not_found": (
        (
            "There is no `{repo}` on the Hub, or this account may not see it.",
            "Check the spelling and who is signed in.",
        ),
        ("Hub 上没有 `{repo}`，或当前账号无权查看。", "请检查拼写和登录的账号。"),
    ),
    "refused": (
        ("The Hub answers {status} when `{repo}` is used.", "Try again."),
        ("使用 `{repo}` 时，Hub 返回 {status}。", "请再试一次。"),
    ),
    "bad_repo": (
        ("`{repo}` is not a repo id.", "Use the form `USER/NAME`."),
        ("`{repo}` 不是有效的仓库名。", "请使用 `用户名/名称` 的形式。"),
    ),
    "not_private": (
        (
            "`{repo}` is not private, so nothing is sent there.",
            "Make it private in its settings on the Hub, or name another repository.",
        ),
        (
            "`{repo}` 不是私有仓库，因此不会向它发送任何内容。",
            "请在 Hub 上把它设为私有，或换一个仓库。",
        ),
    ),
}
WORDS |= {  # of machines of the Hub
    "job_nobody": (
        (
            "Nobody is signed in who could pay for a machine of the Hub.",
            f"Sign in with `hf auth login`, with a token of {TOKENS} that may write and start "
            "jobs.",
        ),
        (
            "使用 Hub 的机器需要登录。",
            f"请用 `hf auth login` 登录，令牌须能写入并启动 Jobs，可在 {TOKENS} 创建。",
        ),
    ),
    "job_nobody_space": (
        (
            "Nobody is signed in who could pay for a machine of the Hub.",
            "Sign in at the top of the page, then repeat this.",
        ),
        ("使用 Hub 的机器需要登录。", "请在页面顶部登录，然后再操作一次。"),
    ),
    "job_away": (
        ("The Hub cannot be asked about its machines now.", "Check the connection and try again."),
        ("现在无法向 Hub 查询它的机器。", "请检查网络连接后再试。"),
    ),
    "job_busy": (
        ("The Hub answers {status} when asked about its machines.", "Try again in a few minutes."),
        ("查询 Hub 的机器时，Hub 返回 {status}。", "请过几分钟再试。"),
    ),
    "job_token": (
        (
            "The Hub does not accept the token (401) for its machines.",
            f"Sign in again, with a token of {TOKENS} that may write and start jobs.",
        ),
        (
            "Hub 不接受这个令牌（401），无法使用它的机器。",
            f"请重新登录，令牌须能写入并启动 Jobs，可在 {TOKENS} 创建。",
        ),
    ),
    "job_token_space": (
        (
            "The Hub does not accept the token (401) for its machines.",
            "Sign in again at the top of the page, then repeat this: nothing is lost.",
        ),
        (
            "Hub 不接受这个令牌（401），无法使用它的机器。",
            "请在页面顶部重新登录，然后再操作一次：没有丢失任何内容。",
        ),
    ),
    "job_credit": (
        (
            "This account has no credit for a machine of the Hub (402).",
            f"Add credit or a means of payment on {BILLING}, or let the run stay on this machine.",
        ),
        (
            "这个账号没有使用 Hub 机器的余额（402）。",
            f"请在 {BILLING} 充值或添加付款方式，或在这台机器上训练。",
        ),
    ),
    "job_scope": (
        (
            "This token may not start jobs on the Hub (403).",
            f"Use one of {TOKENS} with the permission to start and manage jobs.",
        ),
        (
            "这个令牌无权在 Hub 上启动 Jobs（403）。",
            f"请使用在 {TOKENS} 创建的、有启动和管理 Jobs 权限的令牌。",
        ),
    ),
    "job_scope_space": (
        (
            "This sign-in may not start jobs on the Hub (403).",
            "Sign out and in again and allow jobs; if nobody asks you for that, the owner of this "
            "Space has to list the scope `jobs` under `hf_oauth_scopes`.",
        ),
        (
            "这次登录无权在 Hub 上启动 Jobs（403）。",
            "请退出后重新登录并允许 Jobs；如果没有询问，请 Space 的所有者在 `hf_oauth_scopes` "
            "中加上 `jobs`。",
        ),
    ),
    "job_gone": (
        ("The Hub knows nothing of this job (404).", "It may have been deleted: start it again."),
        ("Hub 上没有这个任务（404）。", "它可能已被删除：请重新启动。"),
    ),
    "job_refused": (
        ("The Hub answers {status} when asked for a machine.", "Try again, or choose another."),
        ("请求机器时，Hub 返回 {status}。", "请再试一次，或换一种机器。"),
    ),
    "job_cancelled": (
        ("The job was cancelled on the Hub.", "Resume goes on from the last copy."),
        ("任务在 Hub 上被取消了。", "点击继续会从最近的副本接着训练。"),
    ),
    "job_time": (
        (
            "It took longer than the {minutes} minutes agreed on, and the Hub ended it.",
            "Resume goes on from the last copy; agree to more minutes, or learn fewer steps.",
        ),
        (
            "训练超过了约定的 {minutes} 分钟，Hub 已将它结束。",
            "点击继续会从最近的副本接着训练；请约定更长的时间，或减少步数。",
        ),
    ),
    "job_image": (
        (
            "The machine could not fetch the programs it runs on.",
            "This is most often passing: try again in a few minutes.",
        ),
        ("那台机器无法下载所需的程序。", "这多半是暂时的：请过几分钟再试。"),
    ),
    "job_evicted": (
        (
            "The Hub took the machine away.",
            "Resume goes on from the last copy, on another machine.",
        ),
        ("Hub 收回了那台机器。", "点击继续会在另一台机器上从最近的副本接着训练。"),
    ),
    "job_memory": (
        (
            "The machine ran out of memory.",
            "Choose a larger machine, or fewer samples a step.",
        ),
        ("那台机器的内存不够。", "请选择更大的机器，或减少每步的样本数。"),
    ),
    "job_trouble": (
        (
            "The job on the Hub ended in trouble.",
            "Its log is on {page}; Resume goes on from the last copy.",
        ),
        ("任务在 Hub 上出错结束。", "日志见 {page}；点击继续会从最近的副本接着训练。"),
    ),
}
SAID = {"en": " The Hub says: {said}.", "zh": "Hub 的答复：{said}。"}
KINDS = {"model": "模型", "dataset": "数据集", "space": " Space "}
KIND_OF = {"conflict": HubConflictError}
BUSY = ("away", "busy", "busy_wait", "sign_in_over", "job_away", "job_busy")


def hub_error(key: str, **values: str) -> HubError:
    """Return the error of that key, which knows its words in every language.

    values: what its words name, and `said`, the Hub's own words, if there are any.
    """
    if os.environ.get("SYSTEM") == "spaces":
        root = key.removesuffix("_dataset")
        key = f"{root}_space" if f"{root}_space" in WORDS else key
    problem, fix = in_language("en", key, values)
    if key in BUSY:
        error = HubBusyError(problem, fix, float(values.get("seconds") or 0))
    else:
        error = KIND_OF.get(key, HubError)(problem, fix)
    error.key, error.values = key, values
    return error


def in_language(language: str, key: str, values: Mapping[str, str]) -> Pair | None:
    """Return what happened and what to do; None without such words or one of their values."""
    if key not in WORDS:
        return None
    pair = WORDS[key][language == "zh"]
    known = dict(values)
    if language == "zh":
        known["kind"] = KINDS.get(known.get("kind", ""), "")
    try:
        problem, fix = (words.format(**known) for words in pair)
    except (KeyError, IndexError, ValueError):
        return None
    if known.get("said"):
        problem += SAID[language].format(said=known["said"])
    return problem, fix
