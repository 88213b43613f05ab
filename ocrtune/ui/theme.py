"""How the page looks: a calm theme, a style sheet beside this module, no font from elsewhere."""

import json
from pathlib import Path

import gradio as gr

from ocrtune.ui.words import LANGUAGES

FOLDER = Path(__file__).parent
FONTS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
PLACED_WORDS = {  # gradio has no other way to change these
    '.ot-archive [data-testid="upload-text"]': "archive_drop",
    '.ot-content [data-testid="upload-text"]': "content_drop",
    '.ot-several [data-testid="upload-text"]': "several_drop",
    '.ot-texts [data-testid="upload-text"]': "texts_drop",
    ".toast-title.error": "trouble",
}
SCRIPT_WORDS = ("skip_to_tabs", "enlarge_picture", "close_picture", "server_gone")
MONOSPACE = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """Return warm paper, dark ink and one green."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        text_size=gr.themes.sizes.text_md,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_lg,
        font=FONTS,
        font_mono=MONOSPACE,
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="#171412",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_200",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="#1f1c1a",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="#1a1715",
        block_background_fill="white",
        block_background_fill_dark="#1f1c1a",
        block_border_color="*neutral_200",
        block_border_color_dark="#3a3532",
        border_color_primary="*neutral_200",
        border_color_primary_dark="#3a3532",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_dark="#332e2b",
        button_secondary_background_fill_hover_dark="#403a36",
        button_secondary_text_color="*neutral_800",
        button_secondary_text_color_dark="*neutral_100",
        color_accent="*primary_600",  # of the curves and marks too: seen on white and on black
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_background_fill="white",
        input_background_fill_dark="#171412",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        checkbox_background_color_dark="#171412",
        checkbox_label_background_fill="*neutral_50",
        checkbox_label_background_fill_dark="#292421",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
    )


def style() -> str:
    """Return the style sheet, with the words that only a style sheet can put in place."""
    return (FOLDER / "page.css").read_text("utf-8") + placed_words()


def placed_words() -> str:
    """Return rules that put our words where gradio has fixed ones, in the visitor's language."""
    return "\n".join(
        f'{root} {place}::after {{ content: "{LANGUAGES[language][key]}"; }}'
        for root, language in ((":root", "en"), (":root:lang(zh)", "zh"))
        for place, key in PLACED_WORDS.items()
    )


def head() -> str:
    """Return what the page needs before gradio starts."""
    scripts = "".join(
        f"<script>{(FOLDER / name).read_text('utf-8')}</script>" for name in ("page.js", "reach.js")
    )
    # The address may hold the link to a run, which is nobody else's business.
    private = '<meta name="referrer" content="same-origin">'
    words = f"<script>window.ocrtuneWords = {script_words()}</script>"
    outside = f"<style>{(FOLDER / 'reach.css').read_text('utf-8')}</style>"
    return f'<meta name="color-scheme" content="light dark">{private}\n{outside}{words}{scripts}'


def script_words() -> str:
    """Return the words that scripts put on the page, as JSON by language."""
    words = {name: {key: known[key] for key in SCRIPT_WORDS} for name, known in LANGUAGES.items()}
    return json.dumps(words).replace("<", "\\u003c")
