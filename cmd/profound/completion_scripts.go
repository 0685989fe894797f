package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// shells lists the shells there are completion scripts for.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// completionCommand is "profound completion SHELL".
func completionCommand(_ context.Context, args []string, e *env) error {
	if len(args) != 1 {
		return usagef("usage: profound completion %s", strings.Join(shells(), "|"))
	}
	write := map[string]func(completionData) string{
		"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript,
	}[args[0]]
	if write == nil {
		return usagef("there is no completion for %q; choose from %s", args[0], strings.Join(shells(), ", "))
	}
	_, err := io.WriteString(e.stdout, write(newCompletionData(report.Kinds())))
	return err
}

// flagWord is a flag as completion knows it.
type flagWord struct {
	name, help string
	// value tells whether it takes one; values are the choices, files is set
	// when it is a file name.
	value  bool
	values []string
	files  bool
}

// completionData is what the scripts are made from.
type completionData struct {
	flags    []flagWord // sorted by name
	commands []command
	topics   []string
	why      []flagWord // of the command why, sorted by name
}

func newCompletionData(kinds []report.Kind) completionData {
	d := completionData{topics: topicNames(kinds), why: whyFlagWords()}
	for _, c := range commands() {
		if !c.hidden {
			d.commands = append(d.commands, c)
		}
	}
	choices := map[string][]string{
		"color":     {"auto", "always", "never"},
		"unit":      {"minimum", "auto", "b", "kb", "mb", "gb", "ns", "us", "ms", "s"},
		"symbolize": {"none", "local", "fastlocal", "remote", "force", "demangle=none", "demangle=full", "demangle=templates", "demangle=default"},
	}
	for _, f := range view.Fields() {
		if f.Choices != nil {
			choices[f.Name] = f.Choices
		}
	}
	files := map[string]bool{
		"output": true, "source_path": true, "trim_path": true, "base": true, "diff_base": true,
		"tls_cert": true, "tls_key": true, "tls_ca": true, "bearer_token_file": true,
	}
	help := map[string]string{}
	for _, x := range extras() {
		help[x.name] = x.help
	}
	fs, _ := newFlagSet(kinds)
	fs.VisitAll(func(f *flag.Flag) {
		text := help[f.Name]
		if text == "" {
			text, _, _ = strings.Cut(f.Usage, "\n")
		}
		d.flags = append(d.flags, flagWord{name: f.Name, help: strings.TrimSuffix(text, "."), value: takesValue(f), values: choices[f.Name], files: files[f.Name]})
	})
	return d
}

func takesValue(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}

// whyFlagWords are the flags of "profound why".
func whyFlagWords() []flagWord {
	var out []flagWord
	whyFlags(&whyOptions{}).VisitAll(func(f *flag.Flag) {
		w := flagWord{name: f.Name, help: f.Usage, value: takesValue(f), files: f.Name == "o" || f.Name == "exe"}
		if f.Name == "by" {
			w.values = whyViewNames()
		}
		out = append(out, w)
	})
	return out
}

// flagNames are the names of all flags.
func flagNames(kinds []report.Kind) []string {
	fs, _ := newFlagSet(kinds)
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}

func (d completionData) commandNames() []string {
	var names []string
	for _, c := range d.commands {
		names = append(names, c.name)
	}
	return names
}

// words are flags as they are typed.
func words(flags []flagWord) string {
	var out []string
	for _, f := range flags {
		word := "-" + f.name
		if f.value {
			word += "="
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func bashScript(d completionData) string {
	var cases strings.Builder
	for _, f := range slices.Concat(d.flags, d.why) {
		if f.values != nil {
			fmt.Fprintf(&cases, "        -%s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n", f.name, strings.Join(f.values, " "))
		}
	}
	return fmt.Sprintf(`# bash completion of profound. To load it: source <(profound completion bash)
_profound() {
    local cur=${COMP_WORDS[COMP_CWORD]} flag= dash=
    # bash makes a word of the = in -flag=value.
    if [[ $cur == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD-1]} cur=
    elif (( COMP_CWORD > 1 )) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
        flag=${COMP_WORDS[COMP_CWORD-2]}
    fi
    if [[ -n $flag ]]; then
        case -${flag##*-} in
%s        esac
        COMPREPLY=($(compgen -f -- "$cur"))
        compopt -o filenames 2>/dev/null
        return
    fi
    case ${COMP_WORDS[1]} in
        help) COMPREPLY=($(compgen -W %q -- "$cur")); return ;;
        completion) COMPREPLY=($(compgen -W %q -- "$cur")); return ;;
    esac
    if [[ $cur == -* ]]; then
        local flags=%q
        [[ ${COMP_WORDS[1]} == why ]] && flags=%q
        [[ $cur == --* ]] && dash=-
        COMPREPLY=($(compgen -P "$dash" -W "$flags" -- "${cur#"$dash"}"))
        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        return
    fi
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
    (( COMP_CWORD == 1 )) && COMPREPLY+=($(compgen -W %q -- "$cur"))
    return 0
}
complete -F _profound profound
`, cases.String(), strings.Join(d.topics, " "), strings.Join(shells(), " "), words(d.flags), words(d.why), strings.Join(d.commandNames(), " "))
}

func zshScript(d completionData) string {
	var b strings.Builder
	b.WriteString(`#compdef profound
# zsh completion of profound. To load it: source <(profound completion zsh)
_profound_source() {
    if (( CURRENT == 2 )); then
        local -a commands=(
`)
	for _, c := range d.commands {
		fmt.Fprintf(&b, "            '%s:%s'\n", c.name, zshQuote(c.summary))
	}
	fmt.Fprintf(&b, `        )
        _describe command commands
    fi
    _files
}
_profound() {
    case ${words[2]} in
        help) (( CURRENT > 2 )) && { compadd -- %s; return } ;;
        completion) (( CURRENT > 2 )) && { compadd -- %s; return } ;;
        why) (( CURRENT > 2 )) && {
            _arguments \
%s                '*:process, core or snapshot:_files'
            return
        } ;;
    esac
    _arguments \
%s`, strings.Join(d.topics, " "), strings.Join(shells(), " "), zshFlags(d.why, "                "), zshFlags(d.flags, "        "))
	b.WriteString(`        '*:source:_profound_source'
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _profound "$@"
else
    compdef _profound profound
fi
`)
	return b.String()
}

// zshQuote is a text inside an argument of _arguments.
func zshQuote(s string) string {
	return strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
}

// zshFlags are flags as arguments of _arguments, a line each.
func zshFlags(flags []flagWord, indent string) string {
	var b strings.Builder
	for _, f := range flags {
		spec := fmt.Sprintf("-%s=[%s]:value: ", f.name, zshQuote(f.help))
		switch {
		case !f.value:
			spec = fmt.Sprintf("-%s[%s]", f.name, zshQuote(f.help))
		case f.values != nil:
			spec = fmt.Sprintf("-%s=[%s]:value:(%s)", f.name, zshQuote(f.help), strings.Join(f.values, " "))
		case f.files:
			spec = fmt.Sprintf("-%s=[%s]:file:_files", f.name, zshQuote(f.help))
		}
		fmt.Fprintf(&b, "%s'%s' \\\n", indent, spec)
	}
	return b.String()
}

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

func fishScript(d completionData) string {
	quote := fishQuote
	var b strings.Builder
	b.WriteString("# fish completion of profound. To load it: profound completion fish | source\n")
	for _, c := range d.commands {
		fmt.Fprintf(&b, "complete -c profound -n __fish_use_subcommand -a %s -d %s\n", c.name, quote(c.summary))
	}
	for _, s := range [][2]string{{"help", strings.Join(d.topics, " ")}, {"completion", strings.Join(shells(), " ")}} {
		fmt.Fprintf(&b, "complete -c profound -n '__fish_seen_subcommand_from %s' -f -a %s\n", s[0], quote(s[1]))
	}
	fishFlags(&b, "", d.flags)
	fishFlags(&b, " -n '__fish_seen_subcommand_from why'", d.why)
	return b.String()
}

// fishFlags writes a line for each flag; condition says where there is one.
func fishFlags(b *strings.Builder, condition string, flags []flagWord) {
	for _, f := range flags {
		fmt.Fprintf(b, "complete -c profound%s -o %s", condition, f.name)
		switch {
		case f.values != nil:
			fmt.Fprintf(b, " -x -a %s", fishQuote(strings.Join(f.values, " ")))
		case f.files:
			b.WriteString(" -r -F")
		case f.value:
			b.WriteString(" -x")
		}
		fmt.Fprintf(b, " -d %s\n", fishQuote(f.help))
	}
}

func powershellScript(d completionData) string {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	list := func(words []string) string {
		var q []string
		for _, w := range words {
			q = append(q, quote(w))
		}
		return "@(" + strings.Join(q, ", ") + ")"
	}
	var b strings.Builder
	b.WriteString(`# PowerShell completion of profound. To load it:
#   profound completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName profound -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $flags = [ordered]@{
`)
	for _, f := range d.flags {
		name := "-" + f.name
		if f.value {
			name += "="
		}
		fmt.Fprintf(&b, "        %s = %s\n", quote(name), quote(f.help))
	}
	b.WriteString("    }\n    $values = @{\n")
	for _, f := range slices.Concat(d.flags, d.why) {
		if f.values != nil {
			fmt.Fprintf(&b, "        %s = %s\n", quote("-"+f.name+"="), list(f.values))
		}
	}
	fmt.Fprintf(&b, `    }
    $first = @($commandAst.CommandElements)[1]
    if ("$first" -eq 'help') { $words = %s }
    elseif ("$first" -eq 'completion') { $words = %s }
    elseif ($wordToComplete -match '^-(-?[a-z_]+=)' -and $values.Contains('-' + $Matches[1].TrimStart('-'))) {
        $flag = '-' + $Matches[1].TrimStart('-')
        $words = $values[$flag] | ForEach-Object { $flag + $_ }
    }
    elseif ("$first" -eq 'why' -and $wordToComplete -like '-*') { $words = %s }
    elseif ($wordToComplete -like '-*') { $words = $flags.Keys }
    elseif (@($commandAst.CommandElements).Count -le 2) { $words = %s }
    else { $words = @() }
    $words | Where-Object { $_ -like ($wordToComplete + '*') } | ForEach-Object {
        $tip = if ($flags.Contains($_)) { $flags[$_] } else { $_ }
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $tip)
    }
}
`, list(d.topics), list(shells()), list(strings.Fields(words(d.why))), list(d.commandNames()))
	return b.String()
}
