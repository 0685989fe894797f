package main

import (
	"context"
	"flag"
	"fmt"
	"io"
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
}

func newCompletionData(kinds []report.Kind) completionData {
	d := completionData{topics: topicNames(kinds)}
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
		w := flagWord{name: f.Name, help: strings.TrimSuffix(text, "."), values: choices[f.Name], files: files[f.Name]}
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		w.value = !ok || !b.IsBoolFlag()
		d.flags = append(d.flags, w)
	})
	return d
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

func bashScript(d completionData) string {
	var flags []string
	var cases strings.Builder
	for _, f := range d.flags {
		word := "-" + f.name
		if f.value {
			word += "="
		}
		flags = append(flags, word)
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
        [[ $cur == --* ]] && dash=-
        COMPREPLY=($(compgen -P "$dash" -W %q -- "${cur#"$dash"}"))
        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        return
    fi
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
    (( COMP_CWORD == 1 )) && COMPREPLY+=($(compgen -W %q -- "$cur"))
    return 0
}
complete -F _profound profound
`, cases.String(), strings.Join(d.topics, " "), strings.Join(shells(), " "), strings.Join(flags, " "), strings.Join(d.commandNames(), " "))
}

func zshScript(d completionData) string {
	quote := strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace
	var b strings.Builder
	b.WriteString(`#compdef profound
# zsh completion of profound. To load it: source <(profound completion zsh)
_profound_source() {
    if (( CURRENT == 2 )); then
        local -a commands=(
`)
	for _, c := range d.commands {
		fmt.Fprintf(&b, "            '%s:%s'\n", c.name, quote(c.summary))
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
    esac
    _arguments \
`, strings.Join(d.topics, " "), strings.Join(shells(), " "))
	for _, f := range d.flags {
		switch {
		case !f.value:
			fmt.Fprintf(&b, "        '-%s[%s]' \\\n", f.name, quote(f.help))
		case f.values != nil:
			fmt.Fprintf(&b, "        '-%s=[%s]:value:(%s)' \\\n", f.name, quote(f.help), strings.Join(f.values, " "))
		case f.files:
			fmt.Fprintf(&b, "        '-%s=[%s]:file:_files' \\\n", f.name, quote(f.help))
		default:
			fmt.Fprintf(&b, "        '-%s=[%s]:value: ' \\\n", f.name, quote(f.help))
		}
	}
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

func fishScript(d completionData) string {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	var b strings.Builder
	b.WriteString("# fish completion of profound. To load it: profound completion fish | source\n")
	for _, c := range d.commands {
		fmt.Fprintf(&b, "complete -c profound -n __fish_use_subcommand -a %s -d %s\n", c.name, quote(c.summary))
	}
	for _, s := range [][2]string{{"help", strings.Join(d.topics, " ")}, {"completion", strings.Join(shells(), " ")}} {
		fmt.Fprintf(&b, "complete -c profound -n '__fish_seen_subcommand_from %s' -f -a %s\n", s[0], quote(s[1]))
	}
	for _, f := range d.flags {
		fmt.Fprintf(&b, "complete -c profound -o %s", f.name)
		switch {
		case f.values != nil:
			fmt.Fprintf(&b, " -x -a %s", quote(strings.Join(f.values, " ")))
		case f.files:
			b.WriteString(" -r -F")
		case f.value:
			b.WriteString(" -x")
		}
		fmt.Fprintf(&b, " -d %s\n", quote(f.help))
	}
	return b.String()
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
	for _, f := range d.flags {
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
    elseif ($wordToComplete -like '-*') { $words = $flags.Keys }
    elseif (@($commandAst.CommandElements).Count -le 2) { $words = %s }
    else { $words = @() }
    $words | Where-Object { $_ -like ($wordToComplete + '*') } | ForEach-Object {
        $tip = if ($flags.Contains($_)) { $flags[$_] } else { $_ }
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $tip)
    }
}
`, list(d.topics), list(shells()), list(d.commandNames()))
	return b.String()
}
