/*
 * markdown.h: text of others where a far end reads Markdown.
 */
#ifndef COMMON_MARKDOWN_H
#define COMMON_MARKDOWN_H

#include "prose.h"

/* A prose_escape: no text of others makes emphasis, code, quotes, links, mentions or headings. */
const char *markdown_escape(uint32_t code);
/* A label of ours under which is a link, behind `before`; nothing where `url` is not http or https
 * or would take more than half of the room that is left. */
void markdown_link(struct prose *prose, const char *before, const char *label, const char *url);

#endif
