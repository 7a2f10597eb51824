/*
 * XML answers, read by libxml2's SAX2 interface: no tree, no DTD (any DOCTYPE is refused, by our own flag), no entities
 * but the five and numeric references, no network, at most 16 levels deep and 1 MiB long.
 */
#ifndef NX_XML_H
#define NX_XML_H

#include "core/members.h"

/*
 * Reads one document in UTF-8, whatever encoding it declares (a BOM is skipped). The children of the root give the
 * members by their local names, whatever their namespace and order; i:nil / xsi:nil="true" (XML Schema instance) is
 * absence; a child that has element children is of kind OTHER; the same known name twice is refused. A root without
 * element children gives its text to `bare`. Shapes: DataContractSerializer and XmlSerializer as ASP.NET Web API writes
 * them, its HttpError included. In a library built without XML it gives NX_PARSED_NOT.
 */
enum nx_parsed nx_xml_read(const char *bytes, size_t size, struct nx_members *members);

/* Readies libxml2 for use by several threads. May be called again. */
void nx_xml_prepare(void);

#endif
