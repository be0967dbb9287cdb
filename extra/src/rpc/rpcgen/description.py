# SPDX-License-Identifier: BSD-3-Clause
"""Read and check a description: text, tokens, structures with their members."""

import re

from rpcgen.fields import ARRAYS, KINDS, FixedBytes

MAX_TAG = 0xFFFFFFFF
KEYWORDS = set("""alignas alignof and and_eq asm auto bitand bitor bool break case catch char class
compl const constexpr const_cast continue decltype default delete do double dynamic_cast else enum
explicit export extern false float for friend goto if inline int long mutable namespace new noexcept
not not_eq nullptr operator or or_eq private protected public register reinterpret_cast restrict
return short signed sizeof static static_assert static_cast struct switch template this thread_local
throw true try typedef typeid typename typeof union unsigned using virtual void volatile wchar_t
while xor xor_eq""".split())


class Refused(Exception):
    """What is wrong, and in which line (0: none in particular)."""

    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


def without_comments(text):
    """Replace each comment by a blank and its line ends, so that line numbers stay."""

    def blank(match):
        found = match.group()
        if found.startswith('"'):
            return found
        if found == "/*":
            raise Refused(text.count("\n", 0, match.start()) + 1, "comment without end")
        return " " + "\n" * found.count("\n")

    return re.sub(r'"[^"\n]*"|//[^\n]*|/\*.*?\*/|/\*', blank, text, flags=re.DOTALL)


class Token:
    """A word, number, punctuation mark or whole directive."""

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line

    def __str__(self):
        return '"%s"' % self.text if self.text else "end of file"


TOKEN = re.compile(r"""(?P<blank>[ \t\r\f\v]+)|(?P<newline>\n)
    |(?P<number>0[xX][0-9a-fA-F]+\b|[0-9]+\b)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>[][{}=;])""", re.VERBOSE)


def tokens_of(text):
    text = without_comments(text)
    tokens, at, line, at_start = [], 0, 1, True
    while at < len(text):
        if at_start and (match := re.compile(r"[ \t]*(#(?:\\\r?\n|[^\n])*)").match(text, at)):
            tokens.append(Token("directive", match.group(1).strip(), line))
            line += match.group().count("\n")
            at = match.end()
            continue
        match = TOKEN.match(text, at)
        if match is None:
            raise Refused(line, 'cannot read "%s"' % text[at:].split()[0])
        at = match.end()
        if match.lastgroup == "newline":
            line += 1
        elif match.lastgroup != "blank":
            tokens.append(Token(match.lastgroup, match.group(), line))
        at_start = match.lastgroup == "newline"
    tokens.append(Token("end", "", line))
    return tokens


class Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.at = 0
        self.structs = []
        self.header_lines = []
        self.source_lines = []

    def next(self):
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def is_next(self, text):
        return self.tokens[self.at].text == text

    def want(self, text):
        token = self.next()
        if token.text != text:
            raise Refused(token.line, 'expected "%s" instead of %s' % (text, token))
        return token

    def want_kind(self, kind, what):
        token = self.next()
        if token.kind != kind:
            raise Refused(token.line, "expected %s instead of %s" % (what, token))
        return token

    def read(self):
        while True:
            token = self.next()
            if token.kind == "end":
                return
            if token.kind == "directive":
                self.directive(token)
            elif token.text == "struct":
                self.struct(token)
            else:
                raise Refused(token.line, 'expected "struct" instead of %s' % token)

    def directive(self, token):
        if re.match(r"#\s*define\s+[A-Za-z_]", token.text):
            self.header_lines.append(token.text)
        elif re.match(r'#\s*include\s*["<]|#\s*(if|ifdef)\s+\S|#\s*endif\b', token.text):
            self.source_lines.append(token.text)
        else:
            raise Refused(token.line, 'unknown directive "%s"' % token.text)

    def struct(self, start):
        name = self.want_kind("word", "the name of a structure")
        if self.want("{").line != start.line:
            raise Refused(start.line, '"struct %s {" must be on one line' % name.text)
        if name.text in KEYWORDS:
            raise Refused(name.line, "%s is a word of C or C++" % name)
        struct = Struct(name.text, name.line)
        while not self.is_next("}"):
            struct.add(self.field(struct))
            if not self.is_next("}"):
                self.want(";")
        end = self.want("}")
        if self.tokens[self.at].line == end.line and self.tokens[self.at].kind != "end":
            raise Refused(end.line, 'unexpected %s after "}"' % self.tokens[self.at])
        self.structs.append(struct)

    def field(self, struct):
        first = self.tokens[self.at]
        if first.kind == "directive":
            raise Refused(first.line, "directives must be outside structures")
        label = ""
        while self.tokens[self.at].text in ("optional", "array"):
            token = self.next()
            if label:
                raise Refused(token.line, "%s after \"%s\"" % (token, label))
            label = token.text
        kind = self.want_kind("word", "a type")
        target = None
        if kind.text == "struct":
            self.want("[")
            target = self.want_kind("word", "the name of a structure").text
            self.want("]")
        name = self.want_kind("word", "the name of a member")
        length = None
        if self.is_next("["):
            self.next()
            length = self.next()
            if length.kind not in ("word", "number"):
                raise Refused(length.line, "expected a length instead of %s" % length)
            self.want("]")
        self.want("=")
        tag = self.want_kind("number", "a tag")
        return make_field(struct, label, kind, target, name, length, tag)


def number_of(token):
    text = token.text
    return int(text, 16 if text[:2] in ("0x", "0X") else 10)


def make_field(struct, label, kind, target, name, length, tag):
    if kind.text not in KINDS:
        raise Refused(kind.line, "unknown type %s" % kind)
    if length is not None:
        if kind.text != "bytes":
            raise Refused(length.line, "only bytes can have a length")
        if length.kind == "number" and number_of(length) == 0:
            raise Refused(length.line, "a length must not be 0")
    if label == "array" and kind.text == "bytes":
        raise Refused(kind.line, "there are no arrays of bytes")
    if number_of(tag) > MAX_TAG:
        raise Refused(tag.line, "tag %s exceeds 32 bits" % tag.text)
    make = KINDS[kind.text]
    if length is not None:
        make = FixedBytes
    elif label == "array":
        make = ARRAYS[kind.text]
    field = make(struct, name.text, number_of(tag), label, name.line)
    field.target = target
    if length is not None:
        field.length = length.text
    return field


class Struct:
    def __init__(self, name, line):
        self.name, self.line = name, line
        self.fields = []
        self.is_target = False

    def add(self, field):
        for other in self.fields:
            if other.name == field.name:
                raise Refused(field.line, 'second member "%s"' % field.name)
            if other.tag == field.tag:
                raise Refused(field.line, 'tag %d of "%s" is that of "%s"'
                              % (field.tag, field.name, other.name))
        self.fields.append(field)

    def identifiers(self):
        """What the generated code puts into the shared name spaces."""
        yield from ("tag " + self.name + end for end in ("", "_", "_access_"))
        yield from (self.name + end for end in (
            "_new", "_new_with_arg", "_free", "_clear", "_marshal", "_unmarshal", "_complete"))
        yield from ("evtag_marshal_" + self.name, "evtag_unmarshal_" + self.name)
        yield self.name.upper() + "_MAX_TAGS"
        for field in self.fields:
            yield field.constant
            yield from (field.function(verb) for verb in field.verbs)


def check(structs):
    by_name, taken = {}, {}
    for struct in structs:
        if struct.name in by_name:
            raise Refused(struct.line, 'second structure "%s"' % struct.name)
        by_name[struct.name] = struct
    for struct in structs:
        for field in struct.fields:
            if field.target is None:
                continue
            if field.target not in by_name:
                raise Refused(field.line, 'no structure "%s"' % field.target)
            by_name[field.target].is_target = True
    for struct in structs:
        for name in struct.identifiers():
            if name in taken:
                raise Refused(struct.line, 'structures "%s" and "%s" both need the name "%s"'
                              % (taken[name], struct.name, name.replace("tag ", "")))
            taken[name] = struct.name
