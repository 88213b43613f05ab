"""Under what each Debian package's fonts may be used, as its copyright file says."""

OFL = "SIL Open Font License 1.1"
APACHE = "Apache License 2.0"
GPL_FONT = "GNU GPL 2 or later with font exception"
VERA = "Bitstream Vera licence"
ARPHIC = "Arphic Public License"
GUST = "GUST Font License (an instance of the LPPL)"

UNDER_OFL = (
    "fonts-blankenburg fonts-cabin fonts-cantarell fonts-cardo fonts-cmu "
    "fonts-comic-neue fonts-courier-prime fonts-croscore fonts-crosextra-carlito fonts-dosis "
    "fonts-ebgaramond fonts-elstob fonts-firacode fonts-gamaliel fonts-gnutypewriter "
    "fonts-gotico-antiqua fonts-inter fonts-junicode fonts-karla fonts-lato fonts-manrope "
    "fonts-noto-cjk fonts-noto-cjk-extra fonts-noto-core fonts-noto-extra fonts-play "
    "fonts-quattrocento fonts-quicksand fonts-sil-andika fonts-sil-charis fonts-sil-gentiumplus "
    "fonts-sora fonts-stix fonts-vollkorn fonts-yanone-kaffeesatz"
)

LICENCES: dict[str, str] = {
    **dict.fromkeys(UNDER_OFL.split(), OFL),
    "fonts-adf-baskervald": GPL_FONT,
    "fonts-adf-gillius": GPL_FONT,
    "fonts-adf-libris": GPL_FONT,
    "fonts-adf-oldania": GPL_FONT,
    "fonts-adf-romande": GPL_FONT,
    "fonts-arphic-gkai00mp": ARPHIC,
    "fonts-arphic-uming": ARPHIC,
    "fonts-b612": f"{OFL}, Eclipse Public License 2.0 and Eclipse Distribution License 1.0",
    "fonts-clear-sans": APACHE,
    "fonts-cns11643-sung": "Open Government Data License of Taiwan 1.0",
    "fonts-crosextra-caladea": f"{APACHE} or {OFL}",
    "fonts-dejavu-core": VERA,
    "fonts-dejavu-extra": VERA,
    "fonts-droid-fallback": APACHE,
    "fonts-essays1743": f"{OFL} or GNU LGPL 2.1",
    "fonts-fanwood": "MIT",
    "fonts-freefont-otf": "GNU GPL 3 or later with font exception",
    "fonts-goudybookletter": "public domain",
    "fonts-hack": f"MIT and {VERA}",
    "fonts-hanazono": f"Hanazono Font License or {OFL}",
    "fonts-inconsolata": "SIL Open Font License 1.0",
    "fonts-jetbrains-mono": APACHE,
    "fonts-jura": OFL,
    "fonts-lindenhill": "MIT",
    "fonts-linuxlibertine": f"{GPL_FONT} and {OFL}",
    "fonts-lmodern": GUST,
    "fonts-ocr-b": "public domain and all-permissive licences",
    "fonts-oldstandard": "SIL Open Font License 1.0",
    "fonts-open-sans": APACHE,
    "fonts-paratype": "ParaType Free Font License",
    "fonts-prociono": "public domain",
    "fonts-roboto-slab": APACHE,
    "fonts-roboto-unhinted": APACHE,
    "fonts-rufscript": "GNU GPL 3 or later with font exception",
    "fonts-texgyre": GUST,
    "fonts-unifont": "GNU GPL 2 or later",
    "fonts-urw-base35": "GNU AGPL 3 with font exception",
    "fonts-wqy-microhei": f"{APACHE} or GNU GPL 3 with font exception",
    "fonts-wqy-zenhei": "GNU GPL 2 with font exception",
    "texlive-fonts-extra": (
        f"{OFL} for most families; {GUST} for Antykwa, Cyklop, Iwona, Kurier, New Computer Modern "
        f"and Poltawski; {APACHE} for Droid and Roboto; MIT for ETbb and Garamond Libre; "
        f"{GPL_FONT} for Gillius; the free licences of Bitstream for Charter and Courier 10 Pitch "
        "and of Bigelow and Holmes for Go"
    ),
    "texlive-lang-chinese": "GNU GPL 3 or later with font exception (Fandol)",
}
