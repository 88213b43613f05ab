"""Scripts that the alphabet has not: some for training to stay silent at, some to test that with.

`FOREIGN` is drawn in training, glyph by glyph and in any order; `HELDOUT_SCRIPTS` never is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product

from ocrtune.pretrain.font_lists import Pattern

MOST = 300  # characters of a script


@dataclass(frozen=True)
class Script:
    """A script that training draws: its fonts, and the characters they are asked for."""

    name: str
    fonts: tuple[Pattern, ...]
    characters: str


@dataclass(frozen=True)
class HeldOutScript:
    """A script kept for evaluation: a font that has it, and words to draw with it."""

    name: str
    font: Pattern
    words: tuple[str, ...]


def characters_between(*ranges: tuple[int, int], every: int = 1) -> str:
    """Return the characters of code point ranges, ends included, or one of so many."""
    points = list(chain.from_iterable(range(first, last + 1) for first, last in ranges))
    return "".join(map(chr, points[::every]))[:MOST]


def common_syllables() -> Iterator[str]:
    """Yield the Korean syllables of 14 plain initials, 7 vowels and no final, `n` or `ng`."""
    initials = (0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18)
    for initial, vowel, final in product(initials, (0, 4, 5, 8, 13, 18, 20), (0, 4, 21)):
        yield chr(0xAC00 + (initial * 21 + vowel) * 28 + final)


def noto(name: str, *kinds: str) -> tuple[Pattern, ...]:
    """Return the regular and bold faces that Noto has for a script: `Sans`, `Serif` or both."""
    return tuple(Pattern(f"noto/Noto{kind}{name}-{{Regular,Bold}}.ttf") for kind in kinds)


BOTH = ("Sans", "Serif")

FOREIGN = (
    Script(
        "Arabic",
        (Pattern("dejavu/DejaVuSans{,-Bold}.ttf"), Pattern("freefont/FreeSerif.otf"))
        + noto("Arabic", "Naskh", "Sans"),
        # Letters stand alone when drawn one by one: the joined forms have code points of their own.
        characters_between((0x621, 0x63A), (0x641, 0x64A), (0x660, 0x669), (0xFE80, 0xFEFC)),
    ),
    Script(
        "Cyrillic",
        (
            Pattern("dejavu/DejaVu{Sans,Serif,SansMono}.ttf"),
            Pattern("freefont/FreeSerif{,Italic}.otf"),
            Pattern("fonts-oldstandard/OldStandard-Regular.ttf"),
            Pattern("RobotoTTF/Roboto-Bold.ttf"),
        ),
        characters_between((0x401, 0x45F), (0x490, 0x491)),
    ),
    Script(
        "Hangul",
        (
            Pattern("noto/NotoSansCJK-{Regular,Bold}.ttc", 1),
            Pattern("noto/NotoSerifCJK-Regular.ttc", 1),
            Pattern("unifont/unifont.otf"),
        ),
        "".join(common_syllables()),
    ),
    Script(
        "Kana",
        (
            Pattern("noto/NotoSansCJK-{Regular,Bold}.ttc", 0),
            Pattern("noto/NotoSerifCJK-Regular.ttc", 0),
            Pattern("hanazono/HanaMinA.ttf"),
        ),
        characters_between((0x3041, 0x3096), (0x30A1, 0x30FA)),
    ),
    Script("Devanagari", noto("Devanagari", *BOTH), characters_between((0x904, 0x96F))),
    Script("Gujarati", noto("Gujarati", *BOTH), characters_between((0xA85, 0xAEF))),
    Script("Gurmukhi", noto("Gurmukhi", *BOTH), characters_between((0xA05, 0xA74))),
    Script("Oriya", noto("Oriya", "Sans"), characters_between((0xB05, 0xB6F))),
    Script("Telugu", noto("Telugu", *BOTH), characters_between((0xC05, 0xC6F))),
    Script("Kannada", noto("Kannada", *BOTH), characters_between((0xC85, 0xCEF))),
    Script("Malayalam", noto("Malayalam", *BOTH), characters_between((0xD05, 0xD6F))),
    Script("Sinhala", noto("Sinhala", *BOTH), characters_between((0xD85, 0xDDF))),
    Script("Thai", noto("Thai", *BOTH), characters_between((0xE01, 0xE5B))),
    Script("Lao", noto("Lao", *BOTH), characters_between((0xE81, 0xEDF))),
    Script("Tibetan", noto("Tibetan", "Serif"), characters_between((0xF00, 0xF6C))),
    Script("Myanmar", noto("Myanmar", *BOTH), characters_between((0x1000, 0x104F))),
    Script("Khmer", noto("Khmer", *BOTH), characters_between((0x1780, 0x17E9))),
    Script(
        "Canadian",
        (*noto("CanadianAboriginal", "Sans"), Pattern("dejavu/DejaVuSans.ttf")),
        characters_between((0x1401, 0x166C), every=3),
    ),
    Script(
        "Runic",
        (*noto("Runic", "Sans"), Pattern("freefont/FreeMono.otf")),
        characters_between((0x16A0, 0x16EA)),
    ),
    Script("Mongolian", noto("Mongolian", "Sans"), characters_between((0x1820, 0x1877))),
    Script(
        "Tifinagh",
        (*noto("Tifinagh", "Sans"), Pattern("dejavu/DejaVuSans-Bold.ttf")),
        characters_between((0x2D30, 0x2D67)),
    ),
    Script("Glagolitic", noto("Glagolitic", "Sans"), characters_between((0x2C00, 0x2C5E))),
    Script("Syriac", noto("Syriac", "Sans"), characters_between((0x710, 0x74A))),
    Script("Thaana", noto("Thaana", "Sans"), characters_between((0x780, 0x7B1))),
    Script("Vai", noto("Vai", "Sans"), characters_between((0xA500, 0xA62B))),
    Script("Yi", noto("Yi", "Sans"), characters_between((0xA000, 0xA48C), every=4)),
)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


HELDOUT_SCRIPTS = (
    HeldOutScript(
        "Hebrew",
        Pattern("noto/NotoSerifHebrew-Regular.ttf"),
        words(
            "שלום ספר מים ילד ארץ שמים בית לחם יום לילה אור דרך עיר מלך אם אב אחות אח חבר שנה חודש "
            "שבוע זמן עולם לב יד עין ראש רגל אש רוח הר ים נהר עץ פרח כלב חתול סוס ציפור דג שולחן"
        ),
    ),
    HeldOutScript(
        "Greek",
        Pattern("noto/NotoSerif-Regular.ttf"),
        words(
            "βιβλίο θάλασσα ουρανός γλώσσα πόλη δρόμος σπίτι ψωμί ημέρα νύχτα φως κόσμος ψυχή χέρι "
            "μάτι κεφάλι φωτιά άνεμος βουνό ποτάμι δέντρο λουλούδι σκύλος γάτα άλογο πουλί ψάρι "
            "τραπέζι παιδί μητέρα πατέρας αδελφός φίλος χρόνος μήνας εβδομάδα ώρα ιστορία γράμμα"
        ),
    ),
    HeldOutScript(
        "Georgian",
        Pattern("noto/NotoSerifGeorgian-Regular.ttf"),
        words(
            "წიგნი ზღვა ცა ენა ქალაქი გზა სახლი პური დღე ღამე სინათლე მსოფლიო გული ხელი თვალი თავი "
            "ცეცხლი ქარი მთა მდინარე ხე ყვავილი ძაღლი კატა ცხენი ჩიტი თევზი მაგიდა ბავშვი დედა "
            "მამა ძმა და მეგობარი დრო თვე კვირა საათი ისტორია წერილი"
        ),
    ),
    HeldOutScript(
        "Armenian",
        Pattern("noto/NotoSerifArmenian-Regular.ttf"),
        words(
            "գիրք ծով երկինք լեզու քաղաք ճանապարհ տուն հաց օր գիշեր լույս աշխարհ սիրտ ձեռք աչք "
            "գլուխ կրակ քամի լեռ գետ ծառ ծաղիկ շուն կատու ձի թռչուն ձուկ սեղան երեխա մայր հայր "
            "եղբայր քույր ընկեր ժամանակ ամիս շաբաթ ժամ պատմություն նամակ"
        ),
    ),
    HeldOutScript(
        "Bengali",
        Pattern("noto/NotoSerifBengali-Regular.ttf"),
        words(
            "বই সাগর আকাশ ভাষা শহর পথ ঘর রুটি দিন রাত আলো জগৎ মন হাত চোখ মাথা আগুন বাতাস পাহাড় নদী "
            "গাছ ফুল কুকুর বিড়াল ঘোড়া পাখি মাছ টেবিল শিশু মা বাবা ভাই বোন সময় মাস সকাল কথা গল্প চিঠি"
        ),
    ),
    HeldOutScript(
        "Tamil",
        Pattern("noto/NotoSerifTamil-Regular.ttf"),
        words(
            "நூல் கடல் வானம் மொழி நகரம் சாலை வீடு ரொட்டி நாள் இரவு ஒளி உலகம் இதயம் கை கண் தலை தீ காற்று "
            "மலை ஆறு மரம் பூ நாய் பூனை குதிரை பறவை மீன் மேசை குழந்தை தாய் தந்தை அண்ணன் தங்கை நண்பன் "
            "நேரம் மாதம் வாரம் மணி கதை கடிதம்"
        ),
    ),
    HeldOutScript(
        "Ethiopic",
        Pattern("noto/NotoSerifEthiopic-Regular.ttf"),
        words(
            "መጽሐፍ ባሕር ሰማይ ቋንቋ ከተማ መንገድ ቤት ዳቦ ቀን ሌሊት ብርሃን ዓለም ልብ እጅ ዓይን ራስ እሳት ነፋስ ተራራ ወንዝ "
            "ዛፍ አበባ ውሻ ድመት ፈረስ ወፍ ዓሣ ጠረጴዛ ልጅ እናት አባት ወንድም እህት ጓደኛ ጊዜ ወር ሳምንት ሰዓት ታሪክ ደብዳቤ"
        ),
    ),
)
