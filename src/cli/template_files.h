/* cli/template_files.h - the files of templates/, as tools/embed makes them.
 *
 * Owner: nobody, they are constants.
 */
#ifndef CLI_TEMPLATE_FILES_H
#define CLI_TEMPLATE_FILES_H

#include "api/embedded.h"

extern const struct embedded embedded_template_statistics, embedded_template_statistics_google,
    embedded_template_advertising, embedded_template_remarketing, embedded_template_recording,
    embedded_template_crm, embedded_template_linking, embedded_template_newsletter,
    embedded_template_recommendations;

#endif
