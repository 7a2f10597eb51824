/* What is looked at before libxml2 sees a document. */
#ifndef NX_XML_LIMITS_H
#define NX_XML_LIMITS_H

#include <stdbool.h>

/*
 * Whether libxml2 reads the text, which ends with a NUL at `end`, at little cost and for itself: it is UTF-8, has no
 * DTD, no very many attributes or tags, and no instruction that names a catalog, which libxml2 would have read, and
 * print about where the environment asks for it. What looks like a DTD within a comment is none, and refused all the
 * same.
 */
bool nx_xml_is_harmless(const char *text, const char *end);

#endif
