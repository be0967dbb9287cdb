/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The head of a message (RFC 9112, sections 2 to 5).
 *
 *   request  = *1( line-end ) method SP target SP "HTTP/" DIGIT "." DIGIT *SP line-end fields
 *   response = "HTTP/" DIGIT "." DIGIT SP 3DIGIT [ SP phrase ] line-end fields
 *   fields   = *( token ":" OWS value OWS line-end [ fold ] ) line-end
 *   fold     = 1*( SP / HTAB ) value OWS line-end
 *
 * A line ends in CR LF or, for the sake of old clients, in LF alone; a CR anywhere else is refused,
 * as is every control byte. Names are tokens, which refuses blanks before the colon. Folding is
 * refused in the fields that frame a message. A target may contain spaces, which existing clients
 * send.
 *
 * Every state is one function that takes what it can of the input; it is entered again wherever the
 * input was cut.
 */

#include "http/head.h"

#include "http/field.h"
#include "http/queue.h"
#include "http/scan.h"

#include <errno.h>
#include <string.h>

#define BLANK_LINES_MAX 4 /* before a request line: clients that end a body with CR LF */
#define VERSION_LEN     8 /* HTTP/1.1 */
#define WHOLE_LINE_MAX  512 /* a longer field is taken in parts */

enum state {
	REFUSED,
	START,
	START_LF,
	LINE,
	LINE_LF,
	FIELD,
	NAME,
	VALUE_BLANK,
	VALUE,
	VALUE_LF,
	FOLD,
	END_LF,
	DONE,
	N_STATES
};

static const char *const error_text[] = {
	[EVI_HEAD_OK] = "no error",
	[EVI_HEAD_ERR_START] = "the start line is malformed",
	[EVI_HEAD_ERR_VERSION] = "the version of HTTP is not supported",
	[EVI_HEAD_ERR_NAME] = "a field name is malformed",
	[EVI_HEAD_ERR_BYTE] = "a control byte in the head",
	[EVI_HEAD_ERR_LINE_END] = "a line does not end in CR LF",
	[EVI_HEAD_ERR_FOLD] = "a folded line where none is allowed",
	[EVI_HEAD_ERR_TOO_LONG] = "the head is too long",
	[EVI_HEAD_ERR_TOO_MANY] = "too many fields",
	[EVI_HEAD_ERR_MEMORY] = "out of memory",
};

static size_t refuse(struct evi_head *head, enum evi_head_error error)
{
	head->error = (uint8_t)error;
	head->state = REFUSED;
	return 0;
}

/* Counts bytes against the limit, before they are stored. */
static int count(struct evi_head *head, size_t len)
{
	if (len > head->size_max - head->size) {
		refuse(head, EVI_HEAD_ERR_TOO_LONG);
		return -EMSGSIZE;
	}
	head->size += len;
	return 0;
}

/* Counts bytes and adds them to the open item. */
static int store(struct evi_head *head, const char *in, size_t len)
{
	if (count(head, len) != 0)
		return -EMSGSIZE;
	if (evi_arena_add(head->arena, in, len) != 0) {
		refuse(head, EVI_HEAD_ERR_MEMORY);
		return -ENOMEM;
	}
	return 0;
}

static int is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static int is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* --- The start line --------------------------------------------------------------------------- */

static enum evi_head_error parse_version(struct evi_head *head, const char *text)
{
	if (memcmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
	    !is_digit(text[7]))
		return EVI_HEAD_ERR_START;
	if (text[5] == '0')
		return EVI_HEAD_ERR_START;
	if (text[5] != '1')
		return EVI_HEAD_ERR_VERSION;
	head->major = 1;
	head->minor = (uint8_t)(text[7] - '0');
	return EVI_HEAD_OK;
}

/* The line is NUL-terminated. It is cut in place. */
static enum evi_head_error parse_request_line(struct evi_head *head, char *line, size_t len)
{
	size_t method_len = evi_scan_token(line, len);
	enum evi_head_error error;
	char *version;

	while (len > 0 && line[len - 1] == ' ')
		len--;
	/* One byte of target and a space on each side are the least. */
	if (method_len == 0 || len < method_len + 3 + VERSION_LEN || line[method_len] != ' ' ||
	    memchr(line, '\t', len) != NULL)
		return EVI_HEAD_ERR_START;
	version = line + len - VERSION_LEN;
	error = version[-1] == ' ' ? parse_version(head, version) : EVI_HEAD_ERR_START;
	if (error != EVI_HEAD_OK)
		return error;
	if (line[method_len + 1] == ' ' || version[-2] == ' ') {
		head->major = 0;
		return EVI_HEAD_ERR_START;
	}

	line[method_len] = '\0';
	version[-1] = '\0';
	head->method = line;
	head->target = line + method_len + 1;
	return EVI_HEAD_OK;
}

static enum evi_head_error parse_status_line(struct evi_head *head, char *line, size_t len)
{
	char *code = line + VERSION_LEN + 1;
	enum evi_head_error error;

	if (len < VERSION_LEN + 4 || line[VERSION_LEN] != ' ')
		return EVI_HEAD_ERR_START;
	error = parse_version(head, line);
	if (error != EVI_HEAD_OK)
		return error;
	if (!is_digit(code[0]) || code[0] == '0' || !is_digit(code[1]) || !is_digit(code[2]) ||
	    (code[3] != '\0' && code[3] != ' '))
		return EVI_HEAD_ERR_START;

	head->code = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
	head->phrase = code[3] == ' ' ? code + 4 : code + 3;
	return EVI_HEAD_OK;
}

static void finish_line(struct evi_head *head)
{
	struct evi_arena *arena = head->arena;
	size_t len = (size_t)(arena->at - arena->open);
	enum evi_head_error error = EVI_HEAD_ERR_MEMORY;

	if (evi_arena_add(arena, "", 1) == 0)
		error = head->kind == EVI_HEAD_REQUEST
				? parse_request_line(head, arena->open, len)
				: parse_status_line(head, arena->open, len);
	if (error != EVI_HEAD_OK)
		refuse(head, error);
	else
		head->state = FIELD;
}

static size_t take_line(struct evi_head *head, const char *in, size_t len)
{
	size_t run = evi_scan_text(in, len);

	if (store(head, in, run) != 0)
		return 0;
	if (run == len)
		return run;
	if (len - run > 1 && in[run] == '\r' && in[run + 1] == '\n')
		run++;
	if (in[run] == '\r')
		head->state = LINE_LF;
	else if (in[run] == '\n')
		finish_line(head);
	else
		return refuse(head, EVI_HEAD_ERR_BYTE);
	return run + 1;
}

static size_t take_line_lf(struct evi_head *head, const char *in, size_t len)
{
	(void)len;
	if (in[0] != '\n')
		return refuse(head, EVI_HEAD_ERR_LINE_END);
	finish_line(head);
	return 1;
}

static size_t take_start(struct evi_head *head, const char *in, size_t len)
{
	if (in[0] != '\r' && in[0] != '\n') {
		evi_arena_open(head->arena);
		head->state = LINE;
		return take_line(head, in, len);
	}
	if (head->kind != EVI_HEAD_REQUEST || head->blank_lines++ >= BLANK_LINES_MAX)
		return refuse(head, EVI_HEAD_ERR_START);
	if (in[0] == '\r')
		head->state = START_LF;
	return 1;
}

static size_t take_start_lf(struct evi_head *head, const char *in, size_t len)
{
	(void)len;
	if (in[0] != '\n')
		return refuse(head, EVI_HEAD_ERR_LINE_END);
	head->state = START;
	return 1;
}

/* --- What the fields mean to the framing ------------------------------------------------------ */

static void note_connection(struct evi_head *head, const char *value)
{
	while (value != NULL) {
		size_t len;
		const char *option = evi_list_next(&value, &len);

		if (evi_is_word(option, len, "close"))
			head->connection |= EVI_CONNECTION_CLOSE;
		else if (evi_is_word(option, len, "keep-alive"))
			head->connection |= EVI_CONNECTION_KEEP_ALIVE;
		else if (evi_is_word(option, len, "upgrade"))
			head->connection |= EVI_CONNECTION_UPGRADE;
	}
}

/* One more coding in the list. A coding other than chunked may have parameters. */
static enum evi_coding add_coding(enum evi_coding before, const char *coding, size_t len)
{
	size_t name = evi_scan_token(coding, len);

	if (name == 0 || (name < len && coding[name] != ';' && !is_blank(coding[name])))
		return EVI_CODING_BAD;
	if (before != EVI_CODING_NONE && before != EVI_CODING_OTHER)
		return EVI_CODING_BAD;
	if (!evi_is_word(coding, name, "chunked"))
		return memchr(coding, ' ', len) == NULL || memchr(coding, ';', len) != NULL
			       ? EVI_CODING_OTHER
			       : EVI_CODING_BAD;
	if (name < len)
		return EVI_CODING_BAD;
	return before == EVI_CODING_NONE ? EVI_CODING_CHUNKED : EVI_CODING_OTHER_CHUNKED;
}

static void note_coding(struct evi_head *head, const char *value)
{
	while (value != NULL) {
		size_t len;
		const char *coding = evi_list_next(&value, &len);

		head->coding = (uint8_t)add_coding((enum evi_coding)head->coding, coding, len);
	}
}

static void note_host(struct evi_head *head, const char *value)
{
	if (head->hosts == 0)
		head->host = value;
	if (head->hosts < 2)
		head->hosts++;
}

static void note_length(struct evi_head *head, const char *value)
{
	if (head->lengths == 0)
		head->length = value;
	if (head->lengths < 2)
		head->lengths++;
}

static void note_expect(struct evi_head *head, const char *value)
{
	if (head->expect == NULL)
		head->expect = value;
}

struct known_field {
	char first; /* letter of the name: tells nearly all others apart */
	char is_foldable;
	const char *name;
	void (*note)(struct evi_head *head, const char *value);
};

/* By the length of the name: no two have the same. */
static const struct known_field known_fields[] = {
	[4] = { 'h', 0, "host", note_host },
	[6] = { 'e', 1, "expect", note_expect },
	[10] = { 'c', 0, "connection", note_connection },
	[14] = { 'c', 0, "content-length", note_length },
	[17] = { 't', 0, "transfer-encoding", note_coding },
};

#define N_KNOWN (sizeof(known_fields) / sizeof(known_fields[0]))

static inline const struct known_field *find_known(const char *name, size_t len)
{
	const struct known_field *known = &known_fields[len < N_KNOWN ? len : 0];

	if ((name[0] | 0x20) != known->first || !evi_is_same_word(name, known->name, len))
		return NULL;
	return known;
}

/* --- The fields ------------------------------------------------------------------------------- */

static char *open_text(const struct evi_head *head)
{
	return head->arena->open + EVI_FIELD_TEXT;
}

static void trim_value(struct evi_head *head)
{
	const char *value = open_text(head) + head->name_len + 1;

	while (head->arena->at > value && is_blank(head->arena->at[-1]))
		head->arena->at--;
}

static int open_field(struct evi_head *head)
{
	if (head->fields == head->fields_max) {
		refuse(head, EVI_HEAD_ERR_TOO_MANY);
		return -EMSGSIZE;
	}
	evi_arena_open(head->arena);
	if (evi_arena_reserve(head->arena, EVI_FIELD_TEXT) != 0) {
		refuse(head, EVI_HEAD_ERR_MEMORY);
		return -ENOMEM;
	}
	head->arena->at += EVI_FIELD_TEXT;
	head->fields++;
	head->is_open = 1;
	return 0;
}

/* Puts the open item in the list: a field, whose value stands `value_at` bytes behind its name. */
static inline void list_field(struct evi_head *head, size_t value_at)
{
	struct evi_field *field = (struct evi_field *)(void *)head->arena->open;
	const struct known_field *known = find_known(field->text, head->name_len);

	field->in_arena = 1;
	field->pair.key = field->text;
	field->pair.value = field->text + value_at;
	EVI_QUEUE_APPEND(head->list, &field->pair, next);
	if (known != NULL)
		known->note(head, field->pair.value);
}

static int close_field(struct evi_head *head)
{
	head->is_open = 0;
	if (head->kind == EVI_HEAD_TRAILER) {
		evi_arena_drop(head->arena);
		return 0;
	}
	trim_value(head);
	if (evi_arena_add(head->arena, "", 1) != 0) {
		refuse(head, EVI_HEAD_ERR_MEMORY);
		return -ENOMEM;
	}

	list_field(head, head->name_len + 1);
	return 0;
}

/*
 * The usual case at once: a whole, good line, and the byte behind it shows that it is not folded.
 * Returns 0 for everything else: lines cut by the input, long, folded, refused; the states below
 * go through those part by part.
 */
static inline size_t take_whole_line(struct evi_head *head, const char *in, size_t len)
{
	struct evi_arena *arena = head->arena;
	size_t name, value, value_end, end, last;
	char *text;

	if (len > WHOLE_LINE_MAX)
		len = WHOLE_LINE_MAX;
	evi_arena_open(arena);
	if (len < 4 || head->fields == head->fields_max ||
	    evi_arena_reserve(arena, EVI_FIELD_TEXT + len) != 0)
		return 0;
	text = open_text(head);
	last = len - 3; /* where the line has to end at the latest */
	name = evi_copy_token(text, in, len);
	if (name == 0 || name >= last || in[name] != ':')
		return 0;
	value = name + 1 + (in[name + 1] == ' ');
	while (value < last && is_blank(in[value]))
		value++;
	end = value + evi_copy_text(text + value, in + value, len - value);
	if (end > last || end > head->size_max - head->size || memcmp(in + end, "\r\n", 2) != 0 ||
	    is_blank(in[end + 2]))
		return 0;
	value_end = end;
	while (value_end > value && is_blank(in[value_end - 1]))
		value_end--;

	text[name] = '\0';
	text[value_end] = '\0';
	arena->at = text + value_end + 1;
	head->fields++;
	head->size += end;
	head->name_len = name;
	list_field(head, value);
	return end + 2;
}

static size_t take_whole_lines(struct evi_head *head, const char *in, size_t len)
{
	size_t used = 0, line;

	if (head->kind == EVI_HEAD_TRAILER)
		return 0;
	while ((line = take_whole_line(head, in + used, len - used)) > 0)
		used += line;
	return used;
}

/* A blank at the start of a line. */
static size_t start_fold(struct evi_head *head)
{
	const struct known_field *known;

	if (!head->is_open || head->kind == EVI_HEAD_TRAILER)
		return refuse(head, EVI_HEAD_ERR_FOLD);
	known = find_known(open_text(head), head->name_len);
	if (known != NULL && !known->is_foldable)
		return refuse(head, EVI_HEAD_ERR_FOLD);
	head->state = FOLD;
	return 0;
}

/* A LF that ends a line, or the head. */
static int accept_lf(struct evi_head *head, int follows_cr)
{
	if (follows_cr || head->kind != EVI_HEAD_TRAILER)
		return 0;
	refuse(head, EVI_HEAD_ERR_LINE_END);
	return -EPROTO;
}

static size_t take_field(struct evi_head *head, const char *in, size_t len)
{
	size_t used;

	if (is_blank(in[0]))
		return start_fold(head);
	if (head->is_open && close_field(head) != 0)
		return 0;
	if (in[0] == '\r') {
		int is_whole = len > 1 && in[1] == '\n';

		head->state = is_whole ? DONE : END_LF;
		return is_whole ? 2 : 1;
	}
	if (in[0] == '\n') {
		if (accept_lf(head, 0) != 0)
			return 0;
		head->state = DONE;
		return 1;
	}
	used = take_whole_lines(head, in, len);
	if (used == 0 && open_field(head) == 0)
		head->state = NAME;
	return used;
}

static size_t take_name(struct evi_head *head, const char *in, size_t len)
{
	size_t run = evi_scan_token(in, len);

	if (store(head, in, run) != 0)
		return 0;
	if (run == len)
		return run;
	head->name_len = (size_t)(head->arena->at - open_text(head));
	if (in[run] != ':' || head->name_len == 0)
		return refuse(head, EVI_HEAD_ERR_NAME);
	if (store(head, "", 1) != 0)
		return 0;
	head->state = VALUE_BLANK;
	return run + 1;
}

static size_t take_value_blank(struct evi_head *head, const char *in, size_t len)
{
	size_t run = 0;

	while (run < len && is_blank(in[run]))
		run++;
	if (count(head, run) != 0)
		return 0;
	if (run < len)
		head->state = VALUE;
	return run;
}

static size_t take_value(struct evi_head *head, const char *in, size_t len)
{
	size_t run = evi_scan_text(in, len);

	if (store(head, in, run) != 0)
		return 0;
	if (run == len)
		return run;
	if (in[run] == '\r')
		head->state = VALUE_LF;
	else if (in[run] != '\n')
		return refuse(head, EVI_HEAD_ERR_BYTE);
	else if (accept_lf(head, 0) == 0)
		head->state = FIELD;
	return run + 1;
}

static size_t take_value_lf(struct evi_head *head, const char *in, size_t len)
{
	(void)len;
	if (in[0] != '\n')
		return refuse(head, EVI_HEAD_ERR_LINE_END);
	head->state = FIELD;
	return 1;
}

/* The blanks of a continuation become one space; a line of nothing but blanks changes nothing. */
static size_t take_fold(struct evi_head *head, const char *in, size_t len)
{
	size_t run = 0;

	while (run < len && is_blank(in[run]))
		run++;
	if (count(head, run) != 0 || run == len)
		return run;
	head->state = VALUE;
	if (in[run] == '\r' || in[run] == '\n')
		return run;

	trim_value(head);
	if (head->arena->at > open_text(head) + head->name_len + 1 &&
	    evi_arena_add(head->arena, " ", 1) != 0)
		return refuse(head, EVI_HEAD_ERR_MEMORY);
	return run;
}

static size_t take_end_lf(struct evi_head *head, const char *in, size_t len)
{
	(void)len;
	if (in[0] != '\n')
		return refuse(head, EVI_HEAD_ERR_LINE_END);
	head->state = DONE;
	return 1;
}

/* How many bytes were taken; at least one is there. REFUSED and DONE take none. */
static size_t (*const takers[N_STATES])(struct evi_head *head, const char *in, size_t len) = {
	[START] = take_start,
	[START_LF] = take_start_lf,
	[LINE] = take_line,
	[LINE_LF] = take_line_lf,
	[FIELD] = take_field,
	[NAME] = take_name,
	[VALUE_BLANK] = take_value_blank,
	[VALUE] = take_value,
	[VALUE_LF] = take_value_lf,
	[FOLD] = take_fold,
	[END_LF] = take_end_lf,
};

void evi_head_init(struct evi_head *head, enum evi_head_kind kind, struct evi_arena *arena,
		   struct evkeyvalq *list, size_t size_max, unsigned fields_max)
{
	*head = (struct evi_head){
		.arena = arena,
		.list = list,
		.size_max = size_max,
		.fields_max = fields_max,
		.kind = (uint8_t)kind,
		.state = kind == EVI_HEAD_TRAILER ? FIELD : START,
	};
}

enum evi_head_step evi_head_take(struct evi_head *head, const char *in, size_t len,
				 size_t *ret_used)
{
	size_t used = 0;

	while (used < len && takers[head->state] != NULL)
		used += takers[head->state](head, in + used, len - used);
	*ret_used = used;
	if (head->state == DONE)
		return EVI_HEAD_DONE;
	return head->state == REFUSED ? EVI_HEAD_BAD : EVI_HEAD_MORE;
}

int evi_head_has_begun(const struct evi_head *head)
{
	return head->state != START && head->state != START_LF;
}

const char *evi_head_error_text(enum evi_head_error error)
{
	size_t known = sizeof(error_text) / sizeof(error_text[0]);

	return (size_t)error < known ? error_text[error] : "unknown error";
}
