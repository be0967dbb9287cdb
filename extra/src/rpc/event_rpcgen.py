#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turn a description of messages into C code that marshals and unmarshals them.

usage: event_rpcgen [--quiet] FILE.rpc [[H-FILE] C-FILE]

Without C-FILE the results are FILE.gen.c and FILE.gen.h; without H-FILE the header is named like
C-FILE. Nothing is written unless the whole description is good.

A description has structures and directives, with comments as in C:

    #define LEN 16                    goes to the header
    #include "other.h"                goes to the C file, as do #if, #ifdef and #endif
    struct NAME {
        [optional|array] TYPE MEMBER = TAG;
        bytes MEMBER[LEN] = TAG;
    }

TYPE is int (32 bits), int64, string, bytes or struct[NAME]. A TAG is a number below 2^32, unique in
its structure. Members are required unless they say "optional" or "array".

From Meson:  rpc = generator(find_program('event_rpcgen'),
               output: ['@BASENAME@.gen.h', '@BASENAME@.gen.c'],
               arguments: ['--quiet', '@INPUT@', '@OUTPUT0@', '@OUTPUT1@'])
             executable('service', 'main.c', rpc.process('messages.rpc'), ...)
From CMake:  find_package(Libevent COMPONENTS extra)
             libevent_generate_rpc(service messages.rpc)
"""

import os
import re
import sys

MAX_TAG = 0xFFFFFFFF
MAX_ENUM = 0x7FFFFFFF
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


# --- Reading ------------------------------------------------------------------------------------


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


# --- What is generated for a member ---------------------------------------------------------------
#
# $s is the structure, $f the member, $F its tag's constant, $T the member's type, $o the structure it
# refers to. Every template is a piece of C at the indentation it has there.


class Field:
    is_array = False
    verbs = ("assign", "get")
    helpers = ()
    holds_memory = True
    type = ""
    # Statement that copies one value of src into an unset dst, or fails with "goto fail".
    copy = ""

    def __init__(self, struct, name, tag, label, line):
        self.struct, self.name, self.tag = struct, name, tag
        self.label, self.line = label, line
        self.target = None
        self.length = None
        self.constant = (struct.name + "_" + name).upper()

    def function(self, verb):
        return "%s_%s_%s" % (self.struct.name, self.name, verb)

    def fill(self, template):
        values = {"s": self.struct.name, "f": self.name, "F": self.constant, "T": self.type,
                  "o": self.target or "", "L": self.length or "", "K": self.codec}
        return re.sub(r"\$([sfFToLK])", lambda match: values[match.group(1)], template)

    codec = ""

    @property
    def is_required(self):
        return not self.label

    @property
    def marshal_always(self):
        return False

    def marshal(self):
        body = self.marshal_one
        if self.is_required and self.marshal_always:
            return self.fill(body)
        return self.fill("\tif (msg->$f_set)\n\t" + body)


class Int(Field):
    type = "ev_uint32_t"
    codec = "int"
    holds_memory = False
    members = "\tev_uint32_t $f_data;\n"
    access = ("\tint (*$f_assign)(struct $s *, const $T);\n"
              "\tint (*$f_get)(struct $s *, $T *);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, const $T value);\n"
                  "int $s_$f_get(struct $s *msg, $T *value);\n")
    clear = "\tmsg->$f_data = 0;\n\tmsg->$f_set = 0;\n"
    copy = "\tdst->$f_data = src->$f_data;\n\tdst->$f_set = src->$f_set;\n"
    marshal_one = "\tevtag_marshal_$K(evbuf, $F, msg->$f_data);\n"
    marshal_always = True
    read = """\
			if (msg->$f_set || evtag_unmarshal_$K(evbuf, tag, &msg->$f_data) == -1)
				return -1;
			msg->$f_set = 1;
"""
    code = """\
int $s_$f_assign(struct $s *msg, const $T value)
{
	msg->$f_data = value;
	msg->$f_set = 1;
	return 0;
}

int $s_$f_get(struct $s *msg, $T *value)
{
	if (!msg->$f_set)
		return -1;
	*value = msg->$f_data;
	return 0;
}
"""


class Int64(Int):
    type = "ev_uint64_t"
    codec = "int64"
    members = "\tev_uint64_t $f_data;\n"


class String(Field):
    type = "char *"
    helpers = ("copy", "read")
    members = "\tchar *$f_data;\n"
    access = ("\tint (*$f_assign)(struct $s *, const char *);\n"
              "\tint (*$f_get)(struct $s *, char **);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, const char *value);\n"
                  "int $s_$f_get(struct $s *msg, char **value);\n")
    clear = "\tfree(msg->$f_data);\n\tmsg->$f_data = NULL;\n\tmsg->$f_set = 0;\n"
    copy = """\
	if (src->$f_set && $s_$f_assign(dst, src->$f_data) == -1)
		goto fail;
"""
    marshal_one = "\tevtag_marshal_string(evbuf, $F, msg->$f_data);\n"
    read = """\
			if (msg->$f_set)
				return -1;
			msg->$f_data = (char *)rpcgen_read_(evbuf, tag, &len);
			if (msg->$f_data == NULL)
				return -1;
			msg->$f_set = 1;
"""
    code = """\
int $s_$f_assign(struct $s *msg, const char *value)
{
	char *copy;

	if (value == NULL || (copy = (char *)rpcgen_copy_(value, strlen(value))) == NULL)
		return -1;
	free(msg->$f_data);
	msg->$f_data = copy;
	msg->$f_set = 1;
	return 0;
}

int $s_$f_get(struct $s *msg, char **value)
{
	if (!msg->$f_set)
		return -1;
	*value = msg->$f_data;
	return 0;
}
"""


class Bytes(Field):
    type = "ev_uint8_t *"
    helpers = ("copy", "read")
    members = "\tev_uint8_t *$f_data;\n\tev_uint32_t $f_length;\n"
    access = ("\tint (*$f_assign)(struct $s *, const ev_uint8_t *, ev_uint32_t);\n"
              "\tint (*$f_get)(struct $s *, ev_uint8_t **, ev_uint32_t *);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, const ev_uint8_t *value, ev_uint32_t len);\n"
                  "int $s_$f_get(struct $s *msg, ev_uint8_t **value, ev_uint32_t *len);\n")
    clear = ("\tfree(msg->$f_data);\n\tmsg->$f_data = NULL;\n\tmsg->$f_length = 0;\n"
             "\tmsg->$f_set = 0;\n")
    copy = """\
	if (src->$f_set && $s_$f_assign(dst, src->$f_data, src->$f_length) == -1)
		goto fail;
"""
    marshal_one = "\tevtag_marshal(evbuf, $F, msg->$f_data, msg->$f_length);\n"
    read = """\
			if (msg->$f_set)
				return -1;
			msg->$f_data = (ev_uint8_t *)rpcgen_read_(evbuf, tag, &len);
			if (msg->$f_data == NULL)
				return -1;
			msg->$f_length = len;
			msg->$f_set = 1;
"""
    code = """\
int $s_$f_assign(struct $s *msg, const ev_uint8_t *value, ev_uint32_t len)
{
	ev_uint8_t *copy;

	if ((value == NULL && len > 0) || (copy = (ev_uint8_t *)rpcgen_copy_(value, len)) == NULL)
		return -1;
	free(msg->$f_data);
	msg->$f_data = copy;
	msg->$f_length = len;
	msg->$f_set = 1;
	return 0;
}

int $s_$f_get(struct $s *msg, ev_uint8_t **value, ev_uint32_t *len)
{
	if (!msg->$f_set)
		return -1;
	*value = msg->$f_data;
	*len = msg->$f_length;
	return 0;
}
"""


class FixedBytes(Field):
    type = "ev_uint8_t *"
    holds_memory = False
    members = "\tev_uint8_t $f_data[$L];\n"
    access = ("\tint (*$f_assign)(struct $s *, const ev_uint8_t *);\n"
              "\tint (*$f_get)(struct $s *, ev_uint8_t **);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, const ev_uint8_t *value);\n"
                  "int $s_$f_get(struct $s *msg, ev_uint8_t **value);\n")
    clear = "\tmemset(msg->$f_data, 0, sizeof(msg->$f_data));\n\tmsg->$f_set = 0;\n"
    copy = ("\tmemcpy(dst->$f_data, src->$f_data, sizeof(dst->$f_data));\n"
            "\tdst->$f_set = src->$f_set;\n")
    marshal_one = "\tevtag_marshal(evbuf, $F, msg->$f_data, (ev_uint32_t)sizeof(msg->$f_data));\n"
    marshal_always = True
    read = """\
			if (msg->$f_set || evtag_unmarshal_fixed(evbuf, tag, msg->$f_data,
								 sizeof(msg->$f_data)) == -1)
				return -1;
			msg->$f_set = 1;
"""
    code = """\
int $s_$f_assign(struct $s *msg, const ev_uint8_t *value)
{
	if (value == NULL)
		return -1;
	memmove(msg->$f_data, value, sizeof(msg->$f_data));
	msg->$f_set = 1;
	return 0;
}

int $s_$f_get(struct $s *msg, ev_uint8_t **value)
{
	if (!msg->$f_set)
		return -1;
	*value = msg->$f_data;
	return 0;
}
"""


class Sub(Field):
    members = "\tstruct $o *$f_data;\n"
    access = ("\tint (*$f_assign)(struct $s *, const struct $o *);\n"
              "\tint (*$f_get)(struct $s *, struct $o **);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, const struct $o *value);\n"
                  "int $s_$f_get(struct $s *msg, struct $o **value);\n")
    clear = "\t$o_free(msg->$f_data);\n\tmsg->$f_data = NULL;\n\tmsg->$f_set = 0;\n"
    copy = """\
	if (src->$f_set) {
		dst->$f_data = $o_copy_(src->$f_data);
		if (dst->$f_data == NULL)
			goto fail;
		dst->$f_set = 1;
	}
"""
    marshal_one = "\tevtag_marshal_$o(evbuf, $F, msg->$f_data);\n"
    complete = """\
	if (msg->$f_set && $o_check_(msg->$f_data) == -1)
		return -1;
"""
    read = """\
			if (msg->$f_set || (msg->$f_data = $o_new()) == NULL)
				return -1;
			msg->$f_set = 1;
			if ($o_read_element_(msg->$f_data, evbuf, tag, depth + 1) == -1)
				return -1;
"""
    code = """\
int $s_$f_assign(struct $s *msg, const struct $o *value)
{
	struct $o *copy;

	if (value == NULL || $o_check_(value) == -1 || (copy = $o_copy_(value)) == NULL)
		return -1;
	$o_free(msg->$f_data);
	msg->$f_data = copy;
	msg->$f_set = 1;
	return 0;
}

/* An unset member is created here, so that it can be filled in. */
int $s_$f_get(struct $s *msg, struct $o **value)
{
	if (!msg->$f_set) {
		msg->$f_data = $o_new();
		if (msg->$f_data == NULL)
			return -1;
		msg->$f_set = 1;
	}
	*value = msg->$f_data;
	return 0;
}
"""


class Array(Field):
    is_array = True
    verbs = ("assign", "get", "add")
    helpers = ("grow",)
    element = ""  # the type of the elements
    value = ""  # the type that a caller passes
    # Appending an element that the array takes over, or -1.
    append = """\
static $E*$s_$f_append_(struct $s *msg, $E value)
{
	$E*grown;

	grown = ($E*)rpcgen_grow_(msg->$f_data, msg->$f_length, &msg->$f_num_allocated,
		sizeof(*msg->$f_data));
	if (grown == NULL)
		return NULL;
	msg->$f_data = grown;
	grown[msg->$f_length] = value;
	msg->$f_set = 1;
	return &grown[msg->$f_length++];
}

"""
    get = """\
int $s_$f_get(struct $s *msg, int index, $E*value)
{
	if (index < 0 || index >= msg->$f_length)
		return -1;
	*value = msg->$f_data[index];
	return 0;
}

"""

    def fill(self, template):
        template = template.replace("$E*", "%s*" % self.spaced(self.element))
        template = template.replace("$E ", self.spaced(self.element))
        template = template.replace("$V", self.spaced(self.value).rstrip(" "))
        return super().fill(template)

    @staticmethod
    def spaced(text):
        return text if text.endswith("*") else text + " "

    members = "\t$E*$f_data;\n\tint $f_length;\n\tint $f_num_allocated;\n"
    access = ("\tint (*$f_assign)(struct $s *, int, $V);\n"
              "\tint (*$f_get)(struct $s *, int, $E*);\n"
              "\t$E*(*$f_add)(struct $s *, $V);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, int index, $V value);\n"
                  "int $s_$f_get(struct $s *msg, int index, $E*value);\n"
                  "$E*$s_$f_add(struct $s *msg, $V value);\n")
    release = ""  # of msg->$f_data[i]
    marshal_one = ""
    end_clear = """\
	free(msg->$f_data);
	msg->$f_data = NULL;
	msg->$f_length = 0;
	msg->$f_num_allocated = 0;
	msg->$f_set = 0;
"""

    @property
    def clear(self):
        loop = ""
        if self.release:
            loop = "\tfor (i = 0; i < msg->$f_length; i++)\n\t\t%s\n" % self.release
        return loop + self.end_clear

    def marshal(self):
        return self.fill("\tfor (i = 0; i < msg->$f_length; i++)\n\t\t%s\n" % self.marshal_one)

    @property
    def copy(self):
        return "\tfor (i = 0; i < src->$f_length; i++)\n" + self.copy_one

    @property
    def code(self):
        return self.append + self.get + self.own


class IntArray(Array):
    element = "ev_uint32_t"
    value = "const ev_uint32_t"
    codec = "int"
    marshal_one = "evtag_marshal_$K(evbuf, $F, msg->$f_data[i]);"
    copy_one = """\
		if ($s_$f_append_(dst, src->$f_data[i]) == NULL)
			goto fail;
"""
    own = """\
int $s_$f_assign(struct $s *msg, int index, $V value)
{
	if (index < 0 || index >= msg->$f_length)
		return -1;
	msg->$f_data[index] = value;
	return 0;
}

$E*$s_$f_add(struct $s *msg, $V value)
{
	return $s_$f_append_(msg, value);
}
"""

    @property
    def read(self):
        return """\
			if (evtag_unmarshal_$K(evbuf, tag, &%(var)s) == -1)
				return -1;
			if ($s_$f_append_(msg, %(var)s) == NULL)
				return -1;
""" % {"var": "number" if self.codec == "int" else "number64"}


class Int64Array(IntArray):
    element = "ev_uint64_t"
    value = "const ev_uint64_t"
    codec = "int64"


class StringArray(Array):
    element = "char *"
    value = "const char *"
    helpers = ("grow", "copy", "read")
    release = "free(msg->$f_data[i]);"
    marshal_one = "evtag_marshal_string(evbuf, $F, msg->$f_data[i]);"
    copy_one = """\
		if ($s_$f_add(dst, src->$f_data[i]) == NULL)
			goto fail;
"""
    read = """\
			text = (char *)rpcgen_read_(evbuf, tag, &len);
			if (text == NULL)
				return -1;
			if ($s_$f_append_(msg, text) == NULL) {
				free(text);
				return -1;
			}
"""
    own = """\
int $s_$f_assign(struct $s *msg, int index, const char *value)
{
	char *copy;

	if (index < 0 || index >= msg->$f_length)
		return -1;
	if (value == NULL || (copy = (char *)rpcgen_copy_(value, strlen(value))) == NULL)
		return -1;
	free(msg->$f_data[index]);
	msg->$f_data[index] = copy;
	return 0;
}

char **$s_$f_add(struct $s *msg, const char *value)
{
	char *copy, **added;

	if (value == NULL || (copy = (char *)rpcgen_copy_(value, strlen(value))) == NULL)
		return NULL;
	added = $s_$f_append_(msg, copy);
	if (added == NULL)
		free(copy);
	return added;
}
"""


class SubArray(Array):
    release = "$o_free(msg->$f_data[i]);"
    marshal_one = "evtag_marshal_$o(evbuf, $F, msg->$f_data[i]);"
    access = ("\tint (*$f_assign)(struct $s *, int, const struct $o *);\n"
              "\tint (*$f_get)(struct $s *, int, struct $o **);\n"
              "\tstruct $o *(*$f_add)(struct $s *);\n")
    prototypes = ("int $s_$f_assign(struct $s *msg, int index, const struct $o *value);\n"
                  "int $s_$f_get(struct $s *msg, int index, struct $o **value);\n"
                  "struct $o *$s_$f_add(struct $s *msg);\n")
    complete = """\
	for (i = 0; i < msg->$f_length; i++)
		if ($o_check_(msg->$f_data[i]) == -1)
			return -1;
"""
    copy_one = """\
	{
		struct $o *copy = $o_copy_(src->$f_data[i]);

		if (copy == NULL || $s_$f_append_(dst, copy) == NULL) {
			$o_free(copy);
			goto fail;
		}
	}
"""
    read = """\
			{
				struct $o *added = $s_$f_add(msg);

				if (added == NULL ||
				    $o_read_element_(added, evbuf, tag, depth + 1) == -1)
					return -1;
			}
"""
    own = """\
int $s_$f_assign(struct $s *msg, int index, const struct $o *value)
{
	struct $o *copy;

	if (index < 0 || index >= msg->$f_length)
		return -1;
	if (value == NULL || $o_check_(value) == -1 || (copy = $o_copy_(value)) == NULL)
		return -1;
	$o_free(msg->$f_data[index]);
	msg->$f_data[index] = copy;
	return 0;
}

struct $o *$s_$f_add(struct $s *msg)
{
	struct $o *added = $o_new();

	if (added == NULL || $s_$f_append_(msg, added) == NULL) {
		$o_free(added);
		return NULL;
	}
	return added;
}
"""

    @property
    def element(self):
        return "struct %s *" % self.target


KINDS = {"int": Int, "int64": Int64, "string": String, "bytes": Bytes, "struct": Sub}
ARRAYS = {"int": IntArray, "int64": Int64Array, "string": StringArray, "struct": SubArray}


# --- The files ------------------------------------------------------------------------------------

HELPERS = {
    "copy": """\
/* A copy of `len` bytes with a terminator behind them, or NULL. */
static void *rpcgen_copy_(const void *data, size_t len)
{
	char *copy;

	if (len + 1 == 0 || (copy = (char *)malloc(len + 1)) == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\\0';
	return copy;
}
""",
    "read": """\
/* The next element's payload with a terminator behind it, or NULL. Allocated only if it is there. */
static void *rpcgen_read_(struct evbuffer *evbuf, ev_uint32_t tag, ev_uint32_t *ret_len)
{
	ev_uint32_t len;
	char *data;

	if (evtag_payload_length(evbuf, &len) == -1 || len >= evbuffer_get_length(evbuf))
		return NULL;
	data = (char *)malloc((size_t)len + 1);
	if (data == NULL)
		return NULL;
	if (evtag_unmarshal_fixed(evbuf, tag, data, len) == -1) {
		free(data);
		return NULL;
	}
	data[len] = '\\0';
	*ret_len = len;
	return data;
}
""",
    "grow": """\
/* The array with room for one element more, or NULL: then nothing has changed. */
static void *rpcgen_grow_(void *array, int length, int *allocated, size_t size)
{
	int wanted = *allocated == 0 ? 1 : *allocated;
	void *grown;

	if (length < *allocated)
		return array;
	if (*allocated > 0) {
		if (wanted > INT_MAX / 2)
			return NULL;
		wanted *= 2;
	}
	if ((size_t)wanted > (size_t)-1 / size || (grown = realloc(array, (size_t)wanted * size)) == NULL)
		return NULL;
	*allocated = wanted;
	return grown;
}
""",
}

HEADER = """\
/* Generated by event_rpcgen from %(input)s; do not edit. */
#ifndef %(guard)s
#define %(guard)s

#include <event2/util.h>
#include <event2/rpc.h>

%(directives)s#ifdef __cplusplus
extern "C" {
#endif

struct evbuffer;

%(forward)s%(structs)s
#ifdef __cplusplus
}
#endif

#endif
"""

STRUCT_HEADER = """
/* --- $s --- */

enum $s_ {
%(tags)s};
%(big_tags)s
/* The functions that the EVTAG_ macros call. */
struct $s_access_ {
%(access)s};

struct $s {
	struct $s_access_ *base;

%(members)s%(flags)s};

/* A new message without members, or NULL. */
struct $s *$s_new(void);
struct $s *$s_new_with_arg(void *unused);
/* Free it, and everything in it. NULL does nothing. */
void $s_free(struct $s *msg);
/* Unset every member. */
void $s_clear(struct $s *msg);
/* Append all members to the buffer; ask $s_complete() first. */
void $s_marshal(struct evbuffer *evbuf, const struct $s *msg);
/* Read members until the buffer is empty. 0, or -1 if the message is bad or incomplete. */
int $s_unmarshal(struct $s *msg, struct evbuffer *evbuf);
/* 0 if every required member is set, in sub-messages too, else -1. */
int $s_complete(struct $s *msg);
/* The same as one element. */
void evtag_marshal_$s(struct evbuffer *evbuf, ev_uint32_t tag, const struct $s *msg);
int evtag_unmarshal_$s(struct evbuffer *evbuf, ev_uint32_t tag, struct $s *msg);
%(prototypes)s"""

SOURCE = """\
/* Generated by event_rpcgen from %(input)s; do not edit. */

%(directives)s#include "%(header)s"

#include <event2/buffer.h>
#include <event2/tag.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* How deep messages may nest in what is read. */
#define RPCGEN_MAX_DEPTH_ 128

%(helpers)s%(forward)s%(structs)s"""

STRUCT_FORWARD = """\
static int $s_check_(const struct $s *msg);
static int $s_read_element_(struct $s *msg, struct evbuffer *evbuf, ev_uint32_t tag, int depth);
"""

STRUCT_CODE = """
/* --- $s --- */

%(fields)sstatic struct $s_access_ $s_base_ = {
%(table)s};

struct $s *$s_new(void)
{
	struct $s *msg = (struct $s *)calloc(1, sizeof(*msg));

	if (msg != NULL)
		msg->base = &$s_base_;
	return msg;
}

struct $s *$s_new_with_arg(void *unused)
{
	(void)unused;
	return $s_new();
}

void $s_free(struct $s *msg)
{
	if (msg == NULL)
		return;
	$s_clear(msg);
	free(msg);
}

void $s_clear(struct $s *msg)
{
%(clear)s}

%(copy)sstatic int $s_check_(const struct $s *msg)
{
%(check)s	return 0;
}

int $s_complete(struct $s *msg)
{
	return $s_check_(msg);
}

void $s_marshal(struct evbuffer *evbuf, const struct $s *msg)
{
%(marshal)s}

/* Read members until `end` bytes of the buffer are left, and ask for the required ones. */
static int $s_read_(struct $s *msg, struct evbuffer *evbuf, size_t end, int depth)
{
	ev_uint32_t tag;
%(locals)s
%(unused)s	while (evbuffer_get_length(evbuf) > end) {
		if (evtag_peek(evbuf, &tag) == -1)
			return -1;
		switch (tag) {
%(cases)s		default:
			return -1;
		}
	}
	if (evbuffer_get_length(evbuf) != end)
		return -1;
%(required)s	return 0;
}

static int $s_read_element_(struct $s *msg, struct evbuffer *evbuf, ev_uint32_t tag, int depth)
{
	ev_uint32_t found;
	int len;

	if (depth > RPCGEN_MAX_DEPTH_ || (len = evtag_unmarshal_header(evbuf, &found)) == -1)
		return -1;
	if (found != tag)
		return -1;
	return $s_read_(msg, evbuf, evbuffer_get_length(evbuf) - (size_t)len, depth);
}

int $s_unmarshal(struct $s *msg, struct evbuffer *evbuf)
{
	return $s_read_(msg, evbuf, 0, 0);
}

void evtag_marshal_$s(struct evbuffer *evbuf, ev_uint32_t tag, const struct $s *msg)
{
	struct evbuffer *payload = evbuffer_new();

	if (payload == NULL)
		return;
	$s_marshal(payload, msg);
	evtag_marshal_buffer(evbuf, tag, payload);
	evbuffer_free(payload);
}

int evtag_unmarshal_$s(struct evbuffer *evbuf, ev_uint32_t tag, struct $s *msg)
{
	return $s_read_element_(msg, evbuf, tag, 0);
}
"""

COPY = """\
/* A copy, or NULL when out of memory. */
static struct $s *$s_copy_(const struct $s *src)
{
	struct $s *dst = $s_new();
%(index)s
	if (dst == NULL)
		return NULL;
%(fields)s	return dst;
%(fail)s}

"""

COPY_FAIL = """\
fail:
	$s_free(dst);
	return NULL;
"""

REQUIRED = "\tif (!msg->$f_set)\n\t\treturn -1;\n"


def tag_lines(struct):
    """The enumeration, and macros for what an enumeration of C99 cannot hold."""
    small = [field for field in struct.fields if field.tag <= MAX_ENUM]
    big = [field for field in struct.fields if field.tag > MAX_ENUM]
    lines = "".join("\t%s = %d,\n" % (field.constant, field.tag) for field in small)
    limit = " = %d" % MAX_ENUM if small and small[-1].tag == MAX_ENUM else ""
    lines += "\t%s_MAX_TAGS%s\n" % (struct.name.upper(), limit)
    return lines, "".join("#define %s 0x%xU\n" % (field.constant, field.tag) for field in big)


def struct_header(struct):
    fields = struct.fields
    tags, big_tags = tag_lines(struct)
    return STRUCT_HEADER.replace("$s", struct.name) % {
        "tags": tags,
        "big_tags": big_tags,
        "access": "".join(f.fill(f.access) for f in fields) or "\tint unused;\n",
        "members": "".join(f.fill(f.members) for f in fields),
        "flags": "".join(f.fill("\tev_uint8_t $f_set;\n") for f in fields),
        "prototypes": "".join(f.fill(f.prototypes) for f in fields),
    }


def index_if(used):
    return "\tint i;\n" if used else ""


def clear_code(struct):
    loops = any(f.is_array and f.release for f in struct.fields)
    body = "".join(f.fill(f.clear) for f in struct.fields) or "\t(void)msg;\n"
    return (index_if(loops) + "\n" if loops else "") + body


def copy_code(struct):
    if not struct.is_target:
        return ""
    body = "".join(f.fill(f.copy) for f in struct.fields)
    return COPY.replace("$s", struct.name) % {
        "index": index_if(any(f.is_array for f in struct.fields)),
        "fields": body or "\t(void)src;\n",
        "fail": COPY_FAIL.replace("$s", struct.name) if "goto fail" in body else "",
    }


def check_code(struct):
    subs = [f for f in struct.fields if f.target]
    body = "".join(f.fill(REQUIRED) for f in struct.fields if f.is_required)
    body += "".join(f.fill(f.complete) for f in subs)
    index = index_if(any(f.is_array for f in subs))
    return (index + "\n" if index else "") + (body or "\t(void)msg;\n")


def marshal_code(struct):
    body = "".join(f.marshal() for f in struct.fields) or "\t(void)evbuf;\n\t(void)msg;\n"
    return ("\tint i;\n\n" if any(f.is_array for f in struct.fields) else "") + body


def read_locals(struct):
    reads = "".join(f.read for f in struct.fields)
    numbers = [f for f in struct.fields if isinstance(f, IntArray)]
    lines = ""
    if "&len" in reads:
        lines += "\tev_uint32_t len;\n"
    if any(f.codec == "int" for f in numbers):
        lines += "\tev_uint32_t number;\n"
    if any(f.codec == "int64" for f in numbers):
        lines += "\tev_uint64_t number64;\n"
    if "text =" in reads:
        lines += "\tchar *text;\n"
    return lines


def struct_source(struct):
    fields = struct.fields
    table = [f.function(verb) for f in fields for verb in f.verbs] or ["0"]
    unused = "" if any(f.target for f in fields) else "\t(void)depth;\n"
    if not fields:
        unused += "\t(void)msg;\n"
    return STRUCT_CODE.replace("$s", struct.name) % {
        "fields": "".join(f.fill(f.code) + "\n" for f in fields),
        "table": "".join("\t%s,\n" % name for name in table),
        "clear": clear_code(struct),
        "copy": copy_code(struct),
        "check": check_code(struct),
        "marshal": marshal_code(struct),
        "locals": read_locals(struct),
        "unused": unused,
        "cases": "".join(f.fill("\t\tcase $F:\n" + f.read + "\t\t\tbreak;\n") for f in fields),
        # Sub-messages have been asked while they were read.
        "required": "".join(f.fill(REQUIRED) for f in fields if f.is_required),
    }


def struct_forward(struct):
    text = STRUCT_FORWARD.replace("$s", struct.name)
    if struct.is_target:
        text += "static struct $s *$s_copy_(const struct $s *src);\n".replace("$s", struct.name)
    return text


def guard_of(path):
    """From the end of the path only: the same for every place of a build folder."""
    tail = "_".join(os.path.normpath(path).split(os.sep)[-2:])
    return "EVENT_RPCOUT_%s_" % re.sub(r"[^A-Z0-9]", "_", tail.upper())


def generate(reader, input_path, header_path):
    """The texts of the header and the C file."""
    structs = reader.structs
    name = os.path.basename(input_path)
    helpers = {helper for s in structs for f in s.fields for helper in f.helpers}

    def lines(found):
        return "".join(line + "\n" for line in found) + ("\n" if found else "")

    header = HEADER % {
        "input": name,
        "guard": guard_of(input_path),
        "directives": lines(reader.header_lines),
        "forward": "".join("struct %s;\n" % s.name for s in structs),
        "structs": "".join(struct_header(s) for s in structs),
    }
    source = SOURCE % {
        "input": name,
        "directives": lines(reader.source_lines),
        "header": os.path.basename(header_path),
        "helpers": "".join(HELPERS[key] + "\n" for key in HELPERS if key in helpers),
        "forward": "".join(struct_forward(s) for s in structs),
        "structs": "".join(struct_source(s) for s in structs),
    }
    return header, source


# --- The command ----------------------------------------------------------------------------------


def output_names(args):
    """(header, C file) for the arguments behind the input."""
    stem = os.path.splitext(args[0])[0]
    source = args[-1] if len(args) > 1 else stem + ".gen.c"
    header = args[1] if len(args) > 2 else re.sub(r"\.c$", ".h", source)
    if not source.endswith(".c"):
        raise Refused(0, 'the name of the C file, "%s", must end in ".c"' % source)
    if not header.endswith(".h"):
        raise Refused(0, 'the name of the header, "%s", must end in ".h"' % header)
    return header, source


def write_all(texts):
    """Write every file beside its place first, so that a full disk leaves the old ones alone."""
    done = []
    try:
        for path, text in texts:
            done.append(path + ".tmp")
            with open(done[-1], "w", encoding="latin-1", newline="") as out:
                out.write(text)
        for path, _ in texts:
            os.replace(path + ".tmp", path)
    finally:
        for path in done:
            if os.path.exists(path):
                os.unlink(path)


def run(args):
    quiet = "--quiet" in args
    args = [arg for arg in args if arg != "--quiet"]
    if args in (["--help"], ["-h"]):
        print(__doc__.strip())
        return
    if not 1 <= len(args) <= 3 or args[0].startswith("-"):
        raise Refused(0, "usage: event_rpcgen [--quiet] FILE.rpc [[H-FILE] C-FILE]")
    header_path, source_path = output_names(args)
    with open(args[0], encoding="latin-1", newline="") as file:
        text = file.read()
    reader = Reader(text)
    reader.read()
    check(reader.structs)
    header, source = generate(reader, args[0], header_path)
    write_all([(header_path, header), (source_path, source)])
    if not quiet:
        print("%s: %d structures; wrote %s and %s"
              % (args[0], len(reader.structs), header_path, source_path))


def main():
    args = sys.argv[1:]
    inputs = [arg for arg in args if not arg.startswith("-")]
    try:
        run(args)
    except Refused as refused:
        where = "%s:%d" % (inputs[0], refused.line) if refused.line else "event_rpcgen"
        print("%s: %s" % (where, refused), file=sys.stderr)
        return 1
    except OSError as error:
        print("event_rpcgen: %s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
