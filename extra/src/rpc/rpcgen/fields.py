# SPDX-License-Identifier: BSD-3-Clause
"""What is generated for a member, one class for each kind.

In the templates $s is the structure, $f the member, $F its tag's constant, $T the member's type, $o the
structure it refers to. Every template is a piece of C at the indentation it has there.
"""

import re


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
