/*
 * Scripts for shells. They know nothing of options and targets themselves: they ask
 * the program (`mlbuild __complete`), which looks into its tables and the project.
 */
#include <string.h>

#include "commands/cmd.h"

static int run(struct app *app, struct mlb_err *err);

const struct cmd cmd_completion = {
	.name = "completion",
	.summary = "a completion script for a shell",
	.usage = "bash|fish|zsh",
	.about = "Print a completion script. Packages have put them in place already; by hand:\n"
		 "  bash: eval \"$(mlbuild completion bash)\" in ~/.bashrc\n"
		 "  fish: mlbuild completion fish > ~/.config/fish/completions/mlbuild.fish\n"
		 "  zsh:  mlbuild completion zsh > a file _mlbuild in a directory of $fpath",
	.option = (const struct cmd_option[]){ CMD_OPTIONS_END },
	.words = WORDS_SHELLS,
	.min_words = 1,
	.max_words = 1,
	.run = run,
};

/*
 * Bash splits words at = and : and before @ (COMP_WORDBREAKS), so the line is split
 * at blanks here, and what bash holds for words of their own is cut from the answers.
 */
static const char bash[] =
	"# Completion of mlbuild for bash\n"
	"_mlbuild() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur rest answer prefix=\n"
	"\tlocal -a words answers\n"
	"\tread -ra words <<<\"$line\"\n"
	"\t[[ $line == *[[:blank:]] ]] && words+=(\"\")\n"
	"\tcur=${words[${#words[@]}-1]}\n"
	"\trest=$cur\n"
	"\tif [[ $COMP_WORDBREAKS == *=* ]]; then rest=${rest##*=}; fi\n"
	"\tif [[ $COMP_WORDBREAKS == *:* ]]; then rest=${rest##*:}; fi\n"
	"\tif [[ $COMP_WORDBREAKS == *@* && $rest == *@* ]]; then rest=@${rest##*@}; fi\n"
	"\tprefix=${cur%\"$rest\"}\n"
	"\tmapfile -t answers < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
	"\tCOMPREPLY=()\n"
	"\tfor answer in \"${answers[@]}\"; do\n"
	"\t\tcase $answer in\n"
	"\t\t:files) compopt -o filenames; prefix=${rest%%[^@]*}\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -P \"$prefix\" -f -- \"${rest#\"$prefix\"}\"); return ;;\n"
	"\t\t:dirs) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$rest\"); return ;;\n"
	"\t\tesac\n"
	"\t\tanswer=${answer%%$'\\t'*}\n"
	"\t\t[[ $answer == *= ]] && compopt -o nospace\n"
	"\t\tCOMPREPLY+=(\"${answer#\"$prefix\"}\")\n"
	"\tdone\n"
	"}\n"
	"complete -F _mlbuild mlbuild\n";

static const char fish[] = "# Completion of mlbuild for fish\n"
			   "function __mlbuild_complete\n"
			   "\tset -l words (commandline -opc) (commandline -ct)\n"
			   "\tset -l answers ($words[1] __complete $words[2..-1] 2>/dev/null)\n"
			   "\tswitch \"$answers[1]\"\n"
			   "\t\tcase :files\n"
			   "\t\t\tset -l word (commandline -ct)\n"
			   "\t\t\tif string match -q '@*' -- $word\n"
			   "\t\t\t\tfor file in (__fish_complete_path (string sub -s 2 -- $word))\n"
			   "\t\t\t\t\techo @$file\n"
			   "\t\t\t\tend\n"
			   "\t\t\telse\n"
			   "\t\t\t\t__fish_complete_path $word\n"
			   "\t\t\tend\n"
			   "\t\tcase :dirs\n"
			   "\t\t\t__fish_complete_directories (commandline -ct)\n"
			   "\t\tcase '*'\n"
			   "\t\t\tprintf '%s\\n' $answers\n"
			   "\tend\n"
			   "end\n"
			   "complete -c mlbuild -f -a '(__mlbuild_complete)'\n";

static const char zsh[] =
	"#compdef mlbuild\n"
	"# Completion of mlbuild for zsh\n"
	"_mlbuild() {\n"
	"\tlocal -a answers options others\n"
	"\tlocal answer word\n"
	"\tanswers=(\"${(@f)$(\"${words[1]}\" __complete \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
	"\tcase ${answers[1]} in\n"
	"\t:files) compset -P @; _files; return ;;\n"
	"\t:dirs) _files -/; return ;;\n"
	"\tesac\n"
	"\tfor answer in \"${answers[@]}\"; do\n"
	"\t\t[[ -n $answer ]] || continue\n"
	"\t\tword=${${answer%%$'\\t'*}//:/\\\\:}\n"
	"\t\t[[ $answer == *$'\\t'* ]] && word+=\":${answer#*$'\\t'}\"\n"
	"\t\tif [[ $word == *= ]]; then options+=(\"$word\"); else others+=(\"$word\"); fi\n"
	"\tdone\n"
	"\t(( ${#options} )) && _describe -o mlbuild options -S ''\n"
	"\t(( ${#others} )) && _describe mlbuild others\n"
	"}\n"
	"if [[ $funcstack[1] == _mlbuild ]]; then _mlbuild \"$@\"; else compdef _mlbuild mlbuild; fi\n";

static int
run(struct app *app, struct mlb_err *err)
{
	const char *shell = app->word[0];

	if (strcmp(shell, "bash") == 0)
		out_adds(&app->out, bash);
	else if (strcmp(shell, "fish") == 0)
		out_adds(&app->out, fish);
	else if (strcmp(shell, "zsh") == 0)
		out_adds(&app->out, zsh);
	else
		return mlb_err_set(err, MLB_EINVALID,
				   "no completions for '%s': bash, fish and zsh have them", shell);
	return 0;
}
