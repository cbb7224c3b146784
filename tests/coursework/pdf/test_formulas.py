"""Formulas: nothing of the author's TeX is lost on its way to Typst."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell

from coursework.pdf.formulas import Formula, translate_formulas
from coursework.pdf.formulas.equations import rewrite, translate
from coursework.pdf.formulas.tex import UnreadableFormulaError, tokenize


def typst(tex, *before):
    """Return Typst's notation for a formula, after others on the same page."""
    formulas = [Formula(each, True) for each in (*before, tex)]
    code = translate_formulas(formulas)[formulas[-1]]
    return code if code is None else " ".join(code[code.rindex(", $") + 3 : -2].split())


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
        (r"\eqref{eq:1}", '"(eq:1)"'),
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
        (r"\begin{align}a&=b\\[4pt]c&=d\end{align}", r"a & = b \ c & = d"),
        (r"\begin{align}a&=b & c&=d\end{align}", "a & = b & quad quad c & = d"),
        (r"\begin{eqnarray}a&=&b\end{eqnarray}", 'a & =""b'),
        (r"\begin{equation}\begin{split}a&=b\end{split}\end{equation}", "a & = b"),
        (
            r"x = \begin{aligned}a\\b\end{aligned}",
            "x = mat(delim: #none, display( a ) ; display( b ) )",
        ),
        (r"\sum_{\substack{a\\b}}", r"sum_(a \ b)"),
        (r"x_\text{max}", 'x_("max")'),
        (r"x^\frac12", "x^(1 / 2)"),
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
        (r"\DeclareMathOperator{\tr}{tr}", r"\tr A", 'op("tr") A'),
        (r"\DeclareMathOperator*{\amax}{arg\,max}", r"\amax_x", 'op("arg max", limits: #true)_x'),
        (r"\newcommand{\x}{a}\renewcommand{\x}{b}\providecommand{\x}{c}", r"\x", "b"),
    ],
)
def test_macros_hold_for_the_formulas_that_follow(definition, use, expected):
    assert typst(use, definition) == expected


def test_a_formula_of_definitions_alone_shows_nothing():
    formula = Formula(r"\newcommand{\R}{\mathbb{R}}", True)
    assert translate_formulas([formula]) == {formula: "[]"}


def test_formulas_that_look_like_delimiters_stay_apart():
    tricky = ["////////", r"\text{\$ x \$}", "a\n\nb", r"\#", "[]", "<x>"]
    assert len(translate(tricky)) == len(tricky)
    assert None not in translate(tricky[2:])


def test_a_macro_that_calls_itself_ends():
    assert typst(r"\def\a{\a\a}\a") is None


def test_tags_number_a_formula():
    formula = Formula(r"E = mc^2 \tag{7}", True)
    assert 'numbering: _ => "(7)"' in translate_formulas([formula])[formula]
    rows = typst(r"\begin{align}a \tag{1}\\ b \tag*{B}\end{align}")
    assert rows == r'a #h(2em)"(1)" \ b #h(2em)"B"'


@pytest.mark.parametrize(
    "tex", [r"\nosuchcommand", r"\frac{a", r"\frac", "x^", r"\begin{foo}a\end{foo}"]
)
def test_what_cannot_be_read_is_none(tex):
    assert typst(tex) is None


def test_deep_nesting_is_refused_and_does_not_crash():
    with pytest.raises(UnreadableFormulaError):
        rewrite("{" * 500 + "x" + "}" * 500, {})


def test_private_characters_of_an_author_are_not_taken_for_ours():
    assert typst("a\ue000b") == "a b"


def test_comments_end_with_their_line():
    assert typst("a % not b\n+ c") == "a + c"


@given(st.text(st.sampled_from("ab{}[]()$&^_\\|'~%# \n") | st.sampled_from("αβ∑≤"), max_size=40))
def test_no_text_crashes_the_rewriting(tex):
    try:
        rewritten = rewrite(tex, {})
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
    assert done.report.warnings == (r"a formula cannot be read and is shown as TeX: \nosuch{x}",)


def test_screen_readers_get_the_tex(export):
    data = export(new_markdown_cell(r"$\alpha^2$")).report.path.read_bytes()
    assert rb"\alpha^2" in data.replace(rb"\\", b"\\")
