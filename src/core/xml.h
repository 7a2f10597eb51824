/*
 * XML answers, read by libxml2's SAX2 interface: no tree, no DTD (any DOCTYPE is refused, by our own flag), no entities
 * but the five and numeric references, no network, at most 16 levels deep, 32 attributes a tag, 4,096 tags and 1 MiB
 * long. What is refused is refused where it is met, before anything is expanded.
 */
#ifndef NX_XML_H
#define NX_XML_H

#include "core/members.h"

/*
 * Reads one document in UTF-8, whatever encoding it declares (a BOM is skipped); bytes[size] is NUL, as in an nx_text.
 * The children of the root give the members by their local names, whatever their namespace and order; escapes in names
 * (_x003C_) are decoded, and a [Serializable] class's <access_token>k__BackingField is access_token. A child that holds
 * Key and Value, in any order, gives the member that Key names: a dictionary. i:nil / xsi:nil="true" (XML Schema
 * instance) is absence; a value that has element children is of kind OTHER, but of ModelState the text of the first
 * one counts; the same member twice is refused. A root without element children gives its text to `bare`. Shapes:
 * DataContractSerializer and XmlSerializer as ASP.NET Web API writes them, its HttpError included. In a library built
 * without XML it gives NX_PARSED_NOT.
 */
enum nx_parsed nx_xml_read(const char *bytes, size_t size, struct nx_members *members);

/* Readies libxml2 for use by several threads. May be called again. */
void nx_xml_prepare(void);

/* Gives libxml2 the wiping allocator; true when it has it, or the library was built without XML. Not while another
 * thread uses libxml2. */
bool nx_xml_wipe_memory(void);

#endif
