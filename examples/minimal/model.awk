# Keep the words that occur at least `least` times; count them in `metrics`.
$1 >= least { print $2 "\t" $1; kept++ }
END { printf "{\"words\": %d, \"kept\": %d}\n", NR, kept > metrics }
