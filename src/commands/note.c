#include "commands/note.h"

#include "base/text.h"

void
note_print(struct app *app, char *note)
{
	if (note && *note) {
		out_clean(&app->out, note);
		if (!mlb_str_ends(note, "\n"))
			out_adds(&app->out, "\n");
	}
	mlb_free(note);
}
