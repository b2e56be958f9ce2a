# Reads `go test -v` and prints what `go test` would have: one line a package,
# and for a package that failed, what its failed tests said. A test that was
# skipped is named and fails the run: a skipped promise is not kept.
# Exit code 1 on a skip or when nothing was tested; a failed test is told by
# go test's own exit code.

function forget(  t) {
	for (t in said) delete said[t]
	for (t in open) delete open[t]
	verdicts = 0
	current = ""
}

# tell prints what the failed and the unfinished tests of a package said.
function tell(  i, t) {
	for (i = 1; i <= verdicts; i++) {
		print verdict[i]
		printf "%s", said[tested[i]]
		delete said[tested[i]]
		delete open[tested[i]]
	}
	for (t in open) printf "--- UNFINISHED: %s\n%s", t, said[t]
}

/^=== (RUN|PAUSE|CONT|NAME|ATTR|ARTIFACTS) / {
	current = $3
	if ($2 == "RUN") open[current] = 1
	next
}
/^ *--- (PASS|FAIL|SKIP|BENCH): / {
	name = $3
	current = name
	if ($2 == "FAIL:") {
		verdicts++
		verdict[verdicts] = $0
		tested[verdicts] = name
		next
	}
	if ($2 == "SKIP:") {
		skips++
		skipped[skips] = name " (" reason(said[name]) ")"
	}
	delete said[name]
	delete open[name]
	next
}
/^ok  \t/ || /^\?   \t/ {
	if ($1 == "ok") packages++
	forget()
	print
	fflush()
	next
}
/^FAIL\t/ {
	tell()
	forget()
	print
	fflush()
	next
}
/^PASS$/ || /^FAIL$/ || /^testing: warning: no tests to run$/ || /^exit status [0-9]+$/ {
	next
}
{
	if (current == "") {
		print # a build that failed, a warning of the tool chain
		fflush()
	} else {
		said[current] = said[current] $0 "\n"
	}
}

function reason(text) {
	gsub(/\n */, " ", text)
	sub(/^ */, "", text)
	sub(/ $/, "", text)
	return text
}

END {
	for (i = 1; i <= skips; i++) print "skipped: " skipped[i]
	if (skips > 0) {
		printf "%d skipped: with the real parts at hand every test must run\n", skips
		exit 1
	}
	if (packages == 0) {
		print "no package passed a test"
		exit 1
	}
}
