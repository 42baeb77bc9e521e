# A command that makes or changes a file that it names without declaring it fails.
. "${0%/*}/lib.sh"
. "${0%/*}/did.sh"

# What run = says, in a project in git with the files old.txt and in.txt.
project() {
	t_dir
	t_git
	echo old >old.txt
	echo in >in.txt
	echo '*.log' >.gitignore
	{
		printf '[feature f]\nrun = %s\nout = f.txt\n' "$1"
		printf '[feature g]\nrun = echo g >${out}\nout = g.txt\n'
	} >mlbuild.ini
	t_commit
}

t a new file after '>' is told of the first time already, and does not stay
for run in 'cp in.txt ${out}; echo x > new.txt' 'cp in.txt ${out}; echo x >>new.txt' \
	'cp in.txt ${out} 2> new.txt' 'cp in.txt ${out} &&  echo x >| "new.txt"'; do
	project "$run"
	code 1 mlbuild f
	err_has "it made 'new.txt', which it names but does not declare"
	err_has 'declare it as an output, or let git ignore it'
	gone new.txt f.txt
	there .mlbuild/failed/f/new.txt
	code 1 mlbuild f
	err_has "it made 'new.txt'"
done

t so is a word that is no redirection
project 'tee new.txt <in.txt >${out}'
code 1 mlbuild f
err_has "it made 'new.txt'"
gone new.txt

t a file that is there and is changed stays as the command left it
project 'cp in.txt ${out}; echo more >>old.txt'
code 1 mlbuild f
err_has "it changed 'old.txt', which it names but does not declare"
gone f.txt
eq "$(tail -n 1 old.txt)" more

t the output of another target belongs to that one
project 'cp in.txt ${out}; echo more >g.txt'
ok mlbuild g
code 1 mlbuild f
err_has "'g.txt', which belongs to 'g'"
ok mlbuild g
eq "$(cat g.txt)" g

t what git ignores may be written
project 'cp in.txt ${out} 2>f.log; echo x >>f.log'
ok mlbuild f
there f.log
echo 2 >in.txt
ok mlbuild f

t what is declared too, and what is outside the project
project 'mkdir -p out; cp in.txt ${out}; echo x >g2.txt; echo x >dir/x; echo y >/dev/null; echo z >../beside; echo w >&2'
change mlbuild.ini 'out = f.txt' 'out = f.txt\
out.g = g2.txt\
out.d = dir/'
change mlbuild.ini 'in.txt ${out};' 'in.txt f.txt;'
ok mlbuild f
there f.txt g2.txt dir/x ../beside
rm ../beside

t a file that is made and removed again does no harm
project 'echo x >tmp.txt; cp tmp.txt ${out}; rm tmp.txt'
ok mlbuild f

t a task may write what it likes
t_dir
t_git
put mlbuild.ini <<'X'
[task t]
run = echo x > made.txt; touch touched.txt
X
ok mlbuild t
ok mlbuild t
there made.txt touched.txt

t outside a git repository nothing can be let ignored
t_dir
put mlbuild.ini <<'X'
[feature f]
run = echo x >${out}; echo y >new.txt
out = f.txt
X
code 1 mlbuild f
err_has "it made 'new.txt'"
err_has 'declare it as an output, or name it in .mlbuildignore'
err_hasnt 'let git'
echo new.txt >.mlbuildignore
ok mlbuild f
there new.txt

t a variant too
t_dir
put mlbuild.ini <<'X'
[params]
x = 1
[feature f]
run = echo ${params:x} >${out}; echo y >new.txt
out = f.txt
X
code 1 mlbuild -p x=2 f
err_has "it made 'new.txt'"
gone new.txt f.txt

done_testing
