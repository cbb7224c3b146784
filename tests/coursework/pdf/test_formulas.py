"""Formulas: nothing of the author's TeX is lost on its way to Typst."""

import re
from importlib import resources

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell

from coursework.pdf.formulas import Formula, translate_formulas
from coursework.pdf.formulas.equations import rewrite, translate
from coursework.pdf.formulas.rewriter import Page
from coursework.pdf.formulas.tex import UnreadableFormulaError, tokenize
from tests.coursework.pdf.conftest import code, display


def codes(*formulas):
    """Return the Typst code of displayed formulas on one page."""
    return [each.code for each in translate_formulas([Formula(tex, True) for tex in formulas])]


def typst(tex, *before):
    """Return Typst's notation for a formula, after others on the same page."""
    code = codes(*before, tex)[-1]
    return (
        code if code is None else " ".join(code[code.index(", $") + 3 : code.rindex("$")].split())
    )


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        # Spaces: pandoc writes 0 em and -1 em.
        (r"a\!b", "a #h(-0.1667em) b"),
        (r"a\!\left[b\right]", "a lr(bracket.l b bracket.r)"),
        (r"a\;b\:c\ d~e", "a #h(0.2778em) b #h(0.2222em) c #h(0.333em) d #h(0.333em) e"),
        (r"a\hspace{1cm}b\kern3pt c", "a #h(28.35pt) b #h(3.00pt) c"),
        (r"a\mkern18mu b", "a #h(1.000em) b"),
        # Bars, which pandoc puts underneath or writes as a relation.
        (r"\|x\|_2", 'class("normal", bar.v.double) x class("normal", bar.v.double)_2'),
        (r"P(A|B)", r'P \( A class("normal", bar.v) B \)'),
        (r"\lVert x\rVert", 'class("opening", bar.v.double) x class("closing", bar.v.double)'),
        (r"\left. f \right|_0", "lr( f bar.v)_0"),
        (r"\left\langle a \middle| b \right\rangle", "lr(chevron.l a mid(bar.v) b chevron.r)"),
        (r"\bigl(", 'class(#"opening", lr(size: #1.2em, paren.l))'),
        (r"\Bigg]", "lr(size: #2.8em, bracket.r)"),
        (r"\Bigg\uparrow", "stretch(arrow.t, size: #2.8em)"),
        # What pandoc refuses.
        (r"\require{cancel}\cancel{a}", "cancel(a)"),
        (r"\cfrac{a}{b}", "display( a / b )"),
        (r"\dfrac{a}{b}", "display( a / b )"),
        (r"{n \choose k}+{a \over b}", "binom(n, k) + a / b"),
        (r"\textcolor{red}{x}", 'colored("#cc0000", x )'),
        (r"a \color{blue} b + c", 'a colored("#0033cc", b + c )'),
        (r"\color{no such colour}{x}", "x"),
        (r"\textcolor[HTML]{00AA00}{g}", 'colored("#00aa00", g )'),
        (r"\unicode{x3b1}", '"α"'),
        (r"\surd", "sqrt(#h(0pt))"),
        (r"a \\ b", r"a \ b"),
        (r"\text{if $x>0$ and \textbf{so}}", '"if "x > 0" and " bold("so")'),
        (r"{\bf x} + {\rm d}", "upright(bold(x)) + upright(d)"),
        (r"\eqref{eq:1}", '"(???)"'),
        # What pandoc drops or changes.
        (r"\boxed{a}", "boxed( a )"),
        (r"\operatorname{soft max}(x)", r'op("soft max") \( x \)'),
        (r"\operatorname*{arg\,max}_x", 'op("arg max", limits: #true)_x'),
        (r"\mathop{\mathbb{E}}_{x}", "limits( bb(E) )_x"),
        (r"\underset{x}{f}\overset{!}{=}", "limits( f )_x limits( = )^(!)"),
        (r"\sum\limits_i", "limits( sum )_i"),
        (r"\xrightarrow[b]{a}", "limits(stretch(arrow.r, size: #(100% + 0.8em)))_b^a"),
        (r"\&", r"\&"),
        (r"\displaystyle \frac{a}{b}", "display( a / b )"),
        (r"\mathsf{T}", "upright(sans( T ))"),
        (r"a \leqslant b \preceq c", "a lt.eq.slant b prec.eq c"),  # pandoc: other symbols
        (r"\longrightarrow\iff", "arrow.r.long arrow.l.r.double.long"),
        # Environments.
        (r"\begin{vmatrix}a&b\\c&d\end{vmatrix}", 'mat(delim: #"|", a , b ; c , d )'),
        (r"\begin{matrix}a\\b\end{matrix}", "mat(delim: #none, a ; b )"),
        (r"\begin{cases}a & b\\ c & d\end{cases}", "cases( a & quad b , c & quad d )"),
        (r"\begin{rcases}a\end{rcases}", "cases(reverse: #true, a )"),
        (
            r"\begin{array}{c|c}a&b\\\hline c&d\end{array}",
            "mat(delim: #none, augment: #(vline: (1,), hline: (1,)), a , b ; c , d )",
        ),
        (r"\begin{array}{ll}a&b\end{array}", "mat(delim: #none, align: #left, a , b )"),
        (r"\begin{align*}a&=b\\[4pt]c&=d\end{align*}", r"a & = b \ c & = d"),
        (r"\begin{align*}a&=b & c&=d\end{align*}", "a & = b & quad quad c & = d"),
        (r"\begin{eqnarray*}a&=&b\end{eqnarray*}", 'a & =""b'),
        (r"\begin{equation}\begin{split}a&=b\end{split}\end{equation}", "a & = b"),
        (
            r"x = \begin{aligned}a\\b\end{aligned}",
            "x = mat(delim: #none, display( a ) ; display( b ) )",
        ),
        (r"\sum_{\substack{a\\b}}", r"sum_(a \ b)"),
        (r"x_\text{max}", 'x_("max")'),
        (r"x^\frac12", "x^(1 / 2)"),
        # Comments, and characters that the rewriting itself uses.
        ("a % not b\n+ c", "a + c"),
        ("a\ue000b", "a b"),
        # Arrows over and under letters: accents as wide as the letters.
        (r"\overleftrightarrow{EF}", "arrow.l.r( E F )"),
        (r"\underleftrightarrow{EF}", "underarrow( E F )"),
    ],
)  # fmt: skip
def test_rules(tex, expected):
    assert typst(tex) == expected


@pytest.mark.parametrize(
    ("definition", "use", "expected"),
    [
        (r"\newcommand{\R}{\mathbb{R}}", r"\R^n", "bb(R)^n"),
        (r"\newcommand\norm[1]{\lVert #1\rVert}", r"\norm{x}", typst(r"\lVert x\rVert")),
        (r"\newcommand{\f}[2][k]{#1+#2}", r"\f{a}\quad\f[b]{c}", "k + a quad b + c"),
        (r"\def\E#1{\mathbb{E}[#1]}", r"\E{X}", r"bb(E) \[ X \]"),
        (r"\let\eps\varepsilon", r"\eps", "epsilon"),
        (r"\def\a#1,#2;{#1+#2}", r"\a x,y;", "x + y"),
        (r"\newenvironment{m}{\begin{matrix}}{\end{matrix}}", r"\begin{m}a\end{m}",
         "mat(delim: #none, a )"),
        (r"\DeclareMathOperator{\tr}{tr}", r"\tr A", 'op("tr") A'),
        (r"\DeclareMathOperator*{\amax}{arg\,max}", r"\amax_x", 'op("arg max", limits: #true)_x'),
        (r"\newcommand{\x}{a}\renewcommand{\x}{b}\providecommand{\x}{c}", r"\x", "b"),
    ],
)  # fmt: skip
def test_macros_hold_for_the_formulas_that_follow(definition, use, expected):
    assert typst(use, definition) == expected


def test_a_formula_of_definitions_alone_shows_nothing():
    assert codes(r"\newcommand{\R}{\mathbb{R}}") == ["[]"]


def test_formulas_that_look_like_delimiters_stay_apart():
    tricky = ["////////", r"\text{\$ x \$}", "a\n\nb", r"\#", "[]", "<x>"]
    assert len(translate(tricky)) == len(tricky)
    assert None not in translate(tricky[2:])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"{a \over b}", r"\frac{a}{b}"),
        (r"{a \brack b}", r"\genfrac[]{0pt}{}{a}{b}"),
        (r"{a \brace b}", r"\genfrac{\{}{\}}{0pt}{}{a}{b}"),
        (r"{a \atop b}", r"\genfrac{}{}{0pt}{}{a}{b}"),
        (r"{a \above 2pt b}", r"\genfrac{}{}{2pt}{}{a}{b}"),
        (r"{a \overwithdelims [ ] b}", r"\left[\frac{a}{b}\right]"),
        (r"{a \atopwithdelims | | b}", r"\left|{a \atop b}\right|"),
        (r"\genfrac(){}{0}{a}{b}", r"\displaystyle\left(\frac{a}{b}\right)"),
        (r"\root 3 \of x", r"\sqrt[3]{x}"),
        (r"\buildrel a \over =", r"\overset{a}{=}"),
        (r"\pmatrix{1 & 2 \cr 3 & 4}", r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}"),
        (r"\cases{x & y \cr z & t}", r"\begin{cases}x & y \\ z & t\end{cases}"),
        (r"a+\eqalign{a &= b \cr c &= d}", r"a+\begin{aligned}a &= b \\ c &= d\end{aligned}"),
        (r"{\sf T}{\frak g}{\scr F}", r"\mathsf{T}\mathfrak{g}\mathscr{F}"),
        (r"\Bbb R", r"\mathbb{R}"),
        (r"\left\lbrack x \right\gt", r"\left[ x \right\rangle"),
        (r"\bra{a}\ket{b}", r"\langle a\vert\vert b\rangle"),
        (r"\Braket{a|b}", r"\left\langle a\middle|b\right\rangle"),
        (r"\Set{x|y}", r"\left\{x\;\middle|\;y\right\}"),
        (r"\verb|x_1|", r"\texttt{x\_1}"),
        (r"\class{k}{\style{color:red}{y}}", "y"),
        (r"\mathchoice{a}{b}{c}{d}", "a"),
        (r"\text{5 \AA, \"a \'e \c{c} \o}", r"\text{5 Å, ä é ç ø}"),
        (r"50\text{%}", r"50\text{\%}"),
        (r"\definecolor{mine}{rgb}{1,0,0}\color{mine}{x}", r"\color[HTML]{ff0000}{x}"),
        (r"\begin{array}{*{2}{c|}c}a&b&c\end{array}", r"\begin{array}{c|c|c}a&b&c\end{array}"),
        (r"\begin{array}{p{3cm}|l}a&b\end{array}", r"\begin{array}{l|l}a&b\end{array}"),
        (r"\ce{2H2 + SO4^2-}", r"2\mathrm{H}_2\;+\;\mathrm{SO}_4^{\mathrm{2-}}"),
        (r"\ce{(NaPO3)_x ^}", r"(\mathrm{NaPO}_3)_{\mathrm{x}}\;\uparrow"),
        (r"\ce{A ->[b] C}", r"\mathrm{A}\;\;\xrightarrow{\mathrm{b}}\;\;\mathrm{C}"),
    ],
)  # fmt: skip
def test_another_way_to_write_the_same(old, new):
    assert without_spaces(typst(old)) == without_spaces(typst(new))


def without_spaces(code):
    return re.sub(r"\s|_\(\)", "", code)


def test_switches_of_size_do_not_add_up():
    assert numbers(r"\large\begin{align}a\\b\end{align}") == ["(1)", "(2)"]
    assert typst(r"\Large y") == "sized(#1.44, y )"
    assert typst(r"E\large[ Z \large]") == r"E sized(#1.2, \[ Z \] )"
    assert typst(r"\large a {\tiny b}") == "sized(#1.2, a sized(#0.417, b ) )"


SHOWN_BY_MATHJAX = [
    r"\sideset{^1_2}{^3_4}\prod", r"\left\lgroup x \right\rmoustache", r"\rule[1pt]{1cm}{2pt}",
    r"\left\ulcorner x \right\lrcorner", r"\Biggl\Uparrow", r"\raise2pt{x}\lower{1ex}y",
    r"\href{https://a.b/c_d#e%20f}{y}", r"\hphantom{x}y",
    r"\bbox[yellow,border:1px solid red]{c}",
    r"\colorbox{red}{a $b$}", r"\fcolorbox{red}{blue}{a}", r"\enclose{circle box}{x}", r"\S\P",
    r"\begin{CD}\text{A} @>f>> B\\ @VVgV @AAhA\\ C @= D\end{CD}", r"\triangleq\doteqdot",
    r"\LaTeX", r"\begin{aligned}a& \\ & \end{aligned}",
    r"\textcolor{red}{ }\boxed{}\mathbin{}x",
    r"\xmapsto[a]{b}\xlongequal{c}\xrightleftharpoons{d}", r"\idotsint\varlimsup\varinjlim_n",
    r"\overleftrightarrow{EF}\underleftrightarrow{GH}^2_3",
    r"\overparen{AB}\underparen{CD}\ddddot{x}", r"\mathbfsf{x}\symbf{y}\mathsfit{z}",
    r"\llap{/}a",
    r"\cancelto{0}{x}", r"\skew3\hat A", r"\smallint\intop_a^b", r"\toggle{a}{b}\endtoggle",
    r"\displaylines{a \cr b}", r"\hskip 1em plus 2pt minus 1fil x", r"a \mod b", r"\fbox{x}",
    r"\begin{align}& p \\\\& r \\\\\end{align}", r"x\hfill\strut", r"\pu{12 kJ/mol}", "`a\"",
    r"\begin{gathered}\begin{split}p\end{split}\notag\\\begin{split}\end{split}\end{gathered}",
    r"\begin{array}{|c|}\hline a\\\hline\end{array}",
    r"\begin{eqnarray}a\\\nonumber\end{eqnarray}",
    r"\framebox[1cm][l]{x}\smash[b]{y}\moveleft 2pt{z}",
    r"\Rule{1em}{2em}{1pt}\Space{1em}{1em}{1em}\mmlToken{mi}[mathvariant=bold]{q}\big.x",
]  # fmt: skip


def test_what_mathjax_shows_is_a_formula(tmp_path, refused):
    folder = resources.files("coursework.pdf")
    (tmp_path / "style.typ").write_bytes((folder / "style.typ").read_bytes())
    (tmp_path / "math.typ").write_bytes((folder / "math.typ").read_bytes())
    formulas = [Formula(tex, shown) for tex in SHOWN_BY_MATHJAX for shown in (True, False)]
    equations = translate_formulas(formulas)
    unread = [
        formula.tex for formula, each in zip(formulas, equations, strict=True) if each.code is None
    ]
    assert unread == []
    calls = [f'#import "math.typ": *\n#{equation.code}' for equation in equations]
    assert refused(calls) == []


def numbers(*formulas):
    """Return the numbers that formulas show, in order."""
    return re.findall(r'(?:number: |numbered\()"(.*?)"', "\n".join(filter(None, codes(*formulas))))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"\begin{equation}a\end{equation}", ["(1)"]),
        (r"\begin{equation*}a\end{equation*}", []),
        ("a", []),
        (r"\begin{align}a&=b\\c&=d\end{align}", ["(1)", "(2)"]),
        (r"\begin{align*}a&=b\\c&=d\end{align*}", []),
        (r"\begin{align}a\notag\\b\nonumber\\c\end{align}", ["(1)"]),
        (r"\begin{gather}a\\b \tag{A}\\c\end{gather}", ["(1)", "(A)", "(2)"]),
        (r"\begin{align*}a \tag{1}\\ b \tag*{B}\end{align*}", ["(1)", "B"]),
        (r"\begin{multline}a\\b\end{multline}", ["(1)"]),
        (r"\begin{equation}\begin{split}a&=b\\c&=d\end{split}\end{equation}", ["(1)"]),
        (r"\begin{equation}\begin{aligned}a\\b\end{aligned}\nonumber\end{equation}", []),
        (r"E = mc^2 \tag{7}", ["(7)"]),
        (r"\begin{align}a\\\\b\\\end{align}", ["(1)", "(2)", "(3)"]),  # the middle row is empty
    ],
)
def test_equations_have_the_numbers_that_mathjax_gives_them(formula, expected):
    assert numbers(formula) == expected


def test_numbers_go_on_through_the_page_and_tags_do_not_count():
    one = r"\begin{equation}a\end{equation}"
    assert numbers(one, r"b \tag{x}", one, one) == ["(1)", "(x)", "(2)", "(3)"]


def test_references_name_the_numbers_of_equations_before_and_after_them():
    formulas = [
        r"\eqref{late}", r"\begin{equation}a \label{early}\end{equation}", r"x \tag{T}\label{tag}",
        r"\begin{align}b\\c \label{late}\end{align}", r"\text{by \eqref{early}}", r"\ref{tag}",
    ]  # fmt: skip
    shown = codes(*formulas)
    assert '"(3)"' in shown[0]
    assert '"(1)"' in shown[4]
    assert '"T"' in shown[5]


def test_a_reference_to_nothing_is_shown_as_mathjax_shows_it(export):
    done = export(
        new_markdown_cell("one"), new_markdown_cell(r"See \eqref{nowhere} and `\ref{x}`.")
    )
    assert "See (???) and \\ref{x}." in done.text
    assert done.report.warnings == (
        "cell 2: a reference names no equation and is shown as ???: nowhere",
    )


def test_references_in_prose_are_numbers(export):
    line = r"\begin{equation} y = a x + b \label{eq:line} \end{equation}"
    done = export(
        new_markdown_cell(r"After \eqref{eq:line} and $\alpha$:"),
        new_markdown_cell(line + "\n\n" + r"* so (\ref{eq:line}) holds"),
    )
    assert "After (1) and" in done.text
    assert "so (1) holds" in done.text
    assert done.report.warnings == ()


@pytest.mark.parametrize(
    "tex",
    [
        r"\nosuchcommand", r"\frac{a", r"\frac", "x^", r"\begin{foo}a\end{foo}",
        r"\left\foo x \right)", r"\begin{matrix}a", r"\def\a{\a\a}\a",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_none(tex):
    assert typst(tex) is None


def test_what_never_ends_or_would_take_all_memory_is_bounded():
    deep = ["{" * 500 + "x" + "}" * 500, r"\hat" * 5000 + "x", "%}" * 5000]
    many = [r"\def\a#1{\a{#1#1}}\a{xy}", r"\newcommand{\a}[" + "9" * 5000 + r"]{x}\a"]
    assert codes(*deep, *many) == [None] * 5
    columns = "*{99}{" * 9 + "c" + "}" * 9
    assert typst(rf"\begin{{array}}{{{columns}}}a&b\end{{array}}") == "mat(delim: #none, a , b )"


@pytest.mark.parametrize("tex", [r"\R " + "x" * 21_000, r"\hfill" * 2100 + r"\R"])
def test_macros_hold_in_long_formulas(tex):
    assert "bb(R)" in (typst(tex, r"\newcommand{\R}{\mathbb{R}}") or "")


@given(st.text(st.sampled_from("ab{}[]()$&^_\\|'~%# \n") | st.sampled_from("αβ∑≤"), max_size=40))
def test_no_text_crashes_the_rewriting(tex):
    try:
        rewritten = rewrite(tex, Page())
    except UnreadableFormulaError:
        return
    assert rewritten.put_back("") == ""


@given(st.text(st.characters(codec="utf-8", exclude_characters="%"), max_size=30))
def test_tokens_join_to_what_they_came_from(tex):
    assert "".join("".join(tokenize(tex)).split()) == "".join(tex.split())


def test_formulas_are_compiled_and_unreadable_ones_shown_as_tex(export):
    done = export(
        new_markdown_cell(r"Good $\alpha^2$, bad $\nosuch{x}$ and $$\frac{1}{2} \tag{3}$$ end.")
    )
    assert r"$\nosuch{x}$" in done.text
    assert "𝛼" in done.text
    assert "(3)" in done.text
    assert done.report.warnings == (
        r"cell 1: a formula cannot be read and is shown as TeX: \nosuch{x}",
    )


def test_screen_readers_get_the_tex(export):
    data = export(new_markdown_cell(r"$\alpha^2$")).report.path.read_bytes()
    assert rb"\alpha^2" in data.replace(rb"\\", b"\\")


SUM = "+".join(rf"\frac{{c_{{{n}}}}}{{{n}!}}(x-1)^{{{n}}}" for n in range(1, 16))
ROWS = rf"\begin{{align}}y&={SUM}\\&={SUM}\end{{align}}"
LIST = ", ".join(f"x_{{{n}}}" for n in range(100))
MATRIX = rf"\begin{{pmatrix}}{'&'.join(map(str, range(60)))}\end{{pmatrix}}"


@pytest.mark.parametrize(
    ("markdown", "last"),
    [
        (f"$${SUM}$$", "15!"), (f"${SUM}$", "15!"), (f"$${MATRIX}$$", "59"),
        (f"a ${MATRIX}$ b", "59"),
        (ROWS, "(2)"), (rf"$$\frac{{{SUM}}}{{2}}$$", "15!"), (rf"$$\Huge {SUM}$$", "15!"),
        (f"* a\n  $${SUM}$$", "15!"), (f"| a |\n|---|\n| ${SUM}$ |", "15!"),
        (rf"\begin{{equation}}{SUM}\end{{equation}}", "(1)"),
        (f"$${LIST}$$", "𝑥99"), (f"${LIST}$", "𝑥99"), (rf"$$\text{{{'word ' * 60}}}$$", "word"),
        (rf"$$y = \begin{{cases}}{SUM}&a\\2&b\end{{cases}}$$", "15!"), (f"> $${SUM}$$", "15!"),
        (rf"$$\boxed{{{SUM}}}$$", "15!"), (f"| a |\n|---|\n| $${SUM}$$ |", "15!"),
    ],
)  # fmt: skip
def test_no_formula_is_wider_than_the_page(export, markdown, last):
    done = export(new_markdown_cell(markdown))
    assert last in done.squeezed
    places = [x for x, _, _ in glyphs(done)]
    assert min(places) > 50
    assert max(places) < 595 - 30


TERMS = "+".join(f"a_{{{n}}}x^{{{n}}}" for n in range(60))


@pytest.mark.parametrize(
    "tex",
    [
        rf"\frac{{{TERMS}}}{{2}}", rf"\sqrt{{{TERMS}}}", rf"\left({TERMS}\right)^2",
        rf"y=\left(\frac{{{TERMS}}}{{\sqrt{{{TERMS}}}}}\right)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dollars", ["$", "$$"])
def test_a_construction_that_is_too_wide_is_written_on_lines_of_readable_letters(
    export, dollars, tex
):
    done = export(new_markdown_cell(f"{dollars}{tex}{dollars}"))
    assert min(sizes(done, "𝑥")) > 10
    assert done.squeezed.count("𝑎59𝑥59") == tex.count("x^{59}")
    assert done.report.warnings == ()


@pytest.mark.parametrize("command", ["underbrace", "overline", "boxed", "sqrt[3]"])
def test_what_would_be_too_small_to_be_read_is_tex_and_a_warning(export, command):
    done = export(new_markdown_cell("# T"), new_markdown_cell(rf"$$\{command}{{{TERMS}}}$$"))
    assert "a_{59}x^{59}" in done.squeezed
    assert len(done.report.warnings) == 1
    assert done.warnings.startswith(
        rf"cell 2: a formula is too wide and is shown as TeX: \{command}"
    )


def test_a_long_word_of_tex_breaks(export):
    done = export(new_markdown_cell(rf"$\nosuch{{{'x' * 300}}}$"))
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    assert max(page.get_charbox(i)[2] for i in range(page.count_chars())) < 595 - 50
    assert f"{{{'x' * 300}}}$" in done.squeezed


@pytest.mark.parametrize("name", ["cases", "pmatrix", "matrix", "array}{cc"])
def test_the_cells_of_a_line_are_as_large_as_the_line(export, name):
    end = name.partition("}")[0]
    done = export(new_markdown_cell(rf"$\begin{{{name}}}x & x\\ x & x\end{{{end}}}$"))
    assert min(sizes(done, "𝑥")) > 10


@pytest.mark.parametrize("text", ["$\\displaystyle \n x_1 = 2\n$", " $ x_1 = 2 $\n"])
def test_spaces_within_the_dollars_of_a_result_are_no_part_of_its_formula(export, text):
    done = export(code("p", display({"text/latex": text, "text/plain": "<Math>"})))
    assert "$" not in done.text
    assert "𝑥1=2" in done.squeezed


@pytest.mark.parametrize("style", [r"\displaystyle ", ""])
def test_fractions_of_neighbouring_lines_do_not_overlap(export, style):
    done = export(code("p", display({"text/latex": f"${style}{SUM}$"})))
    above = {round(y) for _, y, text in glyphs(done) if text == "𝑐"}
    below = {round(y) for _, y, text in glyphs(done) if text == "!"}
    assert len(above) == len(below) > 1
    for denominator, numerator in zip(sorted(below)[1:], sorted(above), strict=False):
        assert denominator - numerator > 5


def sizes(done, letter):
    """Return the sizes in which a letter is drawn on the first page, in points."""
    found = set()

    def visit(text, cm, tm, font, size):
        if letter in text:
            found.add(size * abs(tm[3] * cm[3]))

    done.reader.pages[0].extract_text(visitor_text=visit)
    return found


def glyphs(done):
    """Return the place of each piece of text on the pages, and the text."""
    found = []

    def visit(text, cm, tm, font, size):
        for char in text.strip()[:1]:
            found.append((tm[4] * cm[0] + cm[4], tm[5] * cm[3] + cm[5], char))

    for page in done.reader.pages:
        page.extract_text(visitor_text=visit)
    return found
