"""Text in any script: its face, its direction, and what a reader of the PDF copies."""

import unicodedata

import pypdfium2
import pytest
from nbformat.v4 import new_markdown_cell

from tests.coursework.pdf.conftest import code, stream

SCRIPTS = {
    "Devanagari": ("चन्द्रगुप्त विद्यार्थी", "NotoSansDevanagari"),
    "Bengali": ("বাংলা ভাষা", "NotoSansBengali"),
    "Tamil": ("தமிழ் மொழி", "NotoSansTamil"),
    "Telugu": ("తెలుగు భాష", "NotoSansTelugu"),
    "Thai": ("ภาษาไทยที่ดี", "NotoSansThai"),
    "Hebrew": ("שלום עולם", "LibertinusSerif"),
    "Arabic": ("شرح الدرس الثاني", "DejaVuSans"),
    "Japanese": ("漢字かな", "NotoSansCJKjp"),
    "Korean": ("한국어", "NotoSansCJKjp"),
    "Russian": ("Кириллица", "LibertinusSerif"),
    "Greek": ("Ελληνικά ἄνθρωπος", "LibertinusSerif"),
    "emoji": ("🙂🚀", "NotoEmoji"),
    "mathematical letters": ("𝓐𝓵𝓲𝓬𝓮 𝔸", "STIXGeneral"),
}
in_each_script = pytest.mark.parametrize(("text", "face"), SCRIPTS.values(), ids=SCRIPTS)


def faces(done):
    """Return the names of the faces of the first page, without the prefix of a subset."""
    fonts = done.reader.pages[0]["/Resources"]["/Font"].values()
    return [font.get_object()["/BaseFont"].partition("+")[2] for font in fonts]


def copied(done):
    """Return what a browser copies from all pages, composed."""
    pages = pypdfium2.PdfDocument(done.report.path)
    text = " ".join(page.get_textpage().get_text_range() for page in pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())


@in_each_script
def test_prose_and_names_have_a_text_face(export, text, face):
    done = export(new_markdown_cell(f"# T\n\n{text}"), authors=[{"name": text}])
    assert any(name.startswith(face) for name in faces(done))
    assert not [name for name in faces(done) if "Mono" in name or "Math" in name]
    assert done.warnings == ""


def test_vowels_of_arabic_are_shown_in_a_text_face_in_italics_and_in_code_too(export):
    text = "الرَّحْمَٰنِ"
    done = export(new_markdown_cell(f"*{text}*"), code(f"# {text}", stream(text)))
    assert done.warnings == ""
    assert [name for name in faces(done) if "Oblique" in name and "Mono" not in name] == []


@pytest.mark.parametrize("text", ["1️⃣ #️⃣ 0⃣", "🇦🇹 🇩🇪", "👨‍👩‍👧‍👦 👩🏽‍💻", "👍🏽", "❤️ ☎︎"])
def test_sequences_of_emoji_are_drawn(export, text):
    done = export(new_markdown_cell(f"# {text}\n\n*{text}*"), code(f"# {text}", stream(text)))
    assert done.warnings == ""


def test_a_digit_as_a_key_is_the_digit_in_a_box(export):
    done = export(new_markdown_cell("a 1️⃣ b"), code("# c 2️⃣ d"))
    assert "a 1 b" in copied(done)
    assert "c 2 d" in copied(done)


def test_words_in_a_formula_have_a_text_face(export):
    done = export(new_markdown_cell(r"$\text{विद्या} = x$"))
    assert any(name.startswith("NotoSansDevanagari") for name in faces(done))


def test_a_letter_under_an_arrow_is_shown(export):
    done = export(new_markdown_cell("x⃗ *x⃗*"), code("x⃗ = 1  # v⃗"))
    assert done.warnings == ""
    assert copied(done).count("\u20d7") == 4


@pytest.mark.parametrize("script", sorted(set(SCRIPTS) - {"Hebrew", "Arabic"}))
def test_text_can_be_copied(export, script):
    text = SCRIPTS[script][0]
    done = export(new_markdown_cell(text))
    assert unicodedata.normalize("NFKC", text) in copied(done)


# Words of a line may change places, for the page reads from left to right.
@pytest.mark.parametrize("text", ["شرح", "التحميل", "كيفيّة", "سنتعلّم", "الأولى", "שלום"])
def test_words_from_right_to_left_can_be_copied(export, text):
    done = export(new_markdown_cell(text))
    assert unicodedata.normalize("NFKC", text) in copied(done)


@pytest.mark.parametrize("text", ["x̂", "x̄ w̄", "Ŷ p̂", "Độ chính xác của ấy", "q̇", "x̂ x y x̂"])
def test_letters_with_marks_are_copied_once(export, text):
    listing = code(f"# code {text} end", stream(f"out {text} end"))
    done = export(new_markdown_cell(f"prose {text} end"), listing)
    composed = unicodedata.normalize("NFKC", text)
    for start in ("code ", "out "):
        assert f"{start}{composed} end" in copied(done)
    assert f"code {composed} end" in unicodedata.normalize("NFKC", done.text)
    # After a mark in prose, pdfium leaves out the space.
    assert f"prose{composed}end".replace(" ", "") in copied(done).replace(" ", "")


@pytest.mark.parametrize("text", ["# p̂", "# β̂", "# ∂̂", "β̂", "# x̂", "X̄", "# ủ", "# ấ", "ấ"])
def test_marks_in_code_stand_over_their_letters(export, text):
    done = export(code(text))
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    mark = unicodedata.normalize("NFD", text)[-1]
    number = next(i for i in range(page.count_chars()) if page.get_text_range(i, 1) == mark)
    left, bottom, right, _ = page.get_charbox(number)
    letter = page.get_charbox(number - 1)
    assert letter[0] < (left + right) / 2 < letter[2]
    assert bottom > letter[3] - 0.5


def lefts(done, words):
    """Return where each word begins on the first page, in points from the left edge."""
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    found = [page.search(word, match_case=True).get_next() for word in words]
    return [page.get_charbox(index)[0] for index, _ in found]


@pytest.mark.parametrize(
    "html",
    [
        '<div dir="rtl">\n\nנעלם NumPy עבר.\n\n</div>',
        '<p style="direction: rtl">נעלם NumPy עבר.</p>',
        '<ul dir="rtl"><li>נעלם NumPy עבר.</li></ul>',
        '<table dir="rtl"><tr><td>נעלם</td><td>NumPy</td><td>עבר.</td></tr></table>',
        '<span dir="rtl">נעלם NumPy עבר.</span>',
    ],
)
def test_what_is_from_right_to_left_is_set_so(export, html):
    first, latin, stop = lefts(export(new_markdown_cell(html)), ["נעלם", "NumPy", "."])
    assert stop < latin < first


def test_a_name_in_bdi_does_not_move_what_follows(export):
    done = export(new_markdown_cell("Name <bdi>שרה</bdi>: 12 points"))
    assert lefts(done, ["Name", "12", "points"]) == sorted(lefts(done, ["Name", "12", "points"]))
    assert lefts(done, ["שרה"]) < lefts(done, ["12"])


NAMES = {
    "words": "Maria " * 34,
    "one word": "W" * 200,
    "Chinese": "阮氏明" * 66,
    "Arabic": "محمد بن عبد الله " * 13,
    "Thai": "นักเรียนที่ดี" * 16,
    "accents": "ậ̂̇" * 66,
    "Devanagari": "चन्द्रगुप्त " * 18,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_long_name_fits_the_head_of_the_page_beside_title_and_id(export, name):
    done = export(
        new_markdown_cell("# Title"),
        authors=[{"name": name.strip()}],
        coursework={"student_id": "12345678", "course": "Course"},
    )
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    boxes = [page.get_charbox(i) for i in range(page.count_chars())]
    assert min(box[0] for box in boxes) > 50
    assert max(box[2] for box in boxes) < 595 - 50
    assert {"Course", "·", "Title", "12345678"} <= set(copied(done).split())
    assert done.reader.metadata.author == name.strip()
    assert done.warnings == ""


@pytest.mark.parametrize(
    "title",
    ["<center>\n\n# Title\n\n</center>", '<h2 align="center">Title</h2>',
     '<h1 style="text-align: center">Title</h1>', "# <center>Title</center>"],
)  # fmt: skip
def test_headings_are_centred(export, title):
    done = export(new_markdown_cell("# Other"), new_markdown_cell(title))
    assert lefts(done, ["Title"])[0] > 200


def test_a_line_before_a_wide_note_is_not_stretched(export):
    note = f"![](https://a.b/{'long' * 25}.png)"
    done = export(new_markdown_cell(f"Two words {note} and more"))
    two, words = lefts(done, ["Two", "words"])
    assert words - two < 40
