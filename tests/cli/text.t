# The text of mlbuild.ini: nothing is shortened or changed.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

t '; # % = : $ in values'
t_dir
put mlbuild.ini <<'X'
[params]
semi = a ; b;c
hash = a # b#c
percent = 100%d %s
equals = a=b == c
colon = a:b : c
dollar = $5 $HOME $(id) ${HOME
x.y-z_0 = dots
[dataset a]
run = printf '%s\n' ${params:semi} ${params:hash} ${params:percent} ${params:equals} ${params:colon} ${params:dollar} "${params:x.y-z_0}" > ${out}
out = a.txt
X
ok mlbuild
eq "$(sed -n 6p a.txt)" '$5 $HOME $(id) ${HOME'
eq "$(sed -n 1p a.txt)" 'a ; b;c'
eq "$(sed -n 2p a.txt)" 'a # b#c'
eq "$(sed -n 3p a.txt)" '100%d %s'
eq "$(sed -n 4p a.txt)" 'a=b == c'
eq "$(sed -n 5p a.txt)" 'a:b : c'
eq "$(sed -n 7p a.txt)" dots

t the same in a command
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = x=5 ; echo "$x ; # % = : ${out}" > ${out} ; echo 'a;b #c' >> ${out} # a shell comment
out = a.txt
X
ok mlbuild
eq "$(sed -n 1p a.txt)" '5 ; # % = : a.txt'
eq "$(sed -n 2p a.txt)" 'a;b #c'

t '$${ is a literal ${'
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = v=1; echo $${v}2 $${HOME:+home} > ${out}
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" '12 home'

t lines of a command keep their indentation, blank lines are kept
t_dir
put mlbuild.ini <<'X'
[dataset a]
run =
    cat > ${out} <<'END'
    first
      indented; # no comment

    after a blank line
    = : [not a section]
    END
    echo 'last' >> ${out}
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" "first
  indented; # no comment

after a blank line
= : [not a section]
last"

t a here-document with an expansion of the shell
t_dir
put mlbuild.ini <<'X'
[dataset a]
run = v=7
      cat > ${out} <<END
      v is $v
      END
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" 'v is 7'

t Python inside, with its indentation
t_dir
put mlbuild.ini <<'X'
[dataset a]
shell = python3 -c
run =
    for i in range(2):
        if i:
            open('a.txt', 'w').write('%d: %s\n' % (i, "x;#"))
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" '1: x;#'

t comments between and inside values
t_dir
put mlbuild.ini <<'X'
; first
# second
[dataset a]
; a comment
run = echo 1 \
; in the middle
        2 > ${out}
# and
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" '1 2'

t CRLF
t_dir
printf '[params]\r\nx = 1\r\n\r\n; note\r\n[dataset a]\r\nrun = echo ${params:x} > ${out}\r\n  echo two >> ${out}\r\nout = a.txt\r\n' >mlbuild.ini
ok mlbuild
eq "$(od -An -c a.txt | tr -d ' ')" '1\ntwo\n'

t CRLF and LF give the same key
tr -d '\r' <mlbuild.ini >lf.ini
mv lf.ini mlbuild.ini
ok mlbuild -n
hasnt 'will run'

t a byte order mark
t_dir
printf '\357\273\277[dataset a]\nrun = echo 1 > ${out}\nout = a.txt\n' >mlbuild.ini
ok mlbuild
eq "$(cat a.txt)" 1

t no newline at the end
t_dir
printf '[dataset a]\nrun = echo 1 > ${out}\nout = a.txt' >mlbuild.ini
ok mlbuild
there a.txt

t long lines, names of 48 characters, 200 targets on one line
t_dir
name=$(printf '%048d' 1)
{
	printf '[dataset %s]\nrun = echo "%s" > ${out}\nout = a.txt\n' "$name" "$(printf '%0600d' 7)"
	printf '[model m]\nrun = cat ${%s} > ${out}\nout = m.txt\n' "$name"
} >mlbuild.ini
ok mlbuild
eq "$(wc -c <m.txt)" 601

t a value of several lines elsewhere is joined by a space
t_dir
echo 1 >a.txt
echo 2 >b.txt
put mlbuild.ini <<'X'
[dataset d]
run = echo d >>"$RAN"; echo 1 > ${out}
needs = a.txt
        b.txt
out = d.txt
X
ok mlbuild
did 'd'
echo 3 >b.txt
ok mlbuild
did 'd'

t an empty mlbuild.ini
t_dir
: >mlbuild.ini
ok mlbuild
has 'nothing to build: mlbuild.ini has no targets yet'

t UTF-8 in values
t_dir
put mlbuild.ini <<'X'
[params]
word = größe 日本 🙂
[dataset a]
run = echo ${params:word} > ${out}
out = a.txt
X
ok mlbuild
eq "$(cat a.txt)" 'größe 日本 🙂'

done_testing
