# Reads what `swift test` prints and writes "PASSED FAILED SKIPPED" as three numbers.
# Lines of Swift Testing begin with a symbol; a test that cancels itself counts as skipped. A run that ends without
# its closing line has crashed: what passed until then counts, and the crash is one failure.
/^[^ ]+ Test run with [0-9]+ tests?/ { total += $5; closed = 1; next }
/^[^ ]+ Test case / { next }
/^[^ ]+ Test .* skipped/ || /^[^ ]+ Test .* was cancelled after / { skipped++; next }
/^[^ ]+ Test .* failed after [0-9.]+ seconds/ { failed++; next }
/^[^ ]+ Test .* passed after [0-9.]+ seconds/ { passed++; next }
# XCTest closes each suite with a line of its own; the last one is the sum.
/^[ \t]+Executed [0-9]+ tests?, with / {
    executed = $2
    xctest_skipped = ($4 ~ /^[0-9]+$/ && $0 ~ /tests? skipped/) ? $4 : 0
    xctest_failed = 0
    if (match($0, /[0-9]+ failures?/)) xctest_failed = substr($0, RSTART) + 0
}
END {
    if (closed) passed = total - failed - skipped
    else failed++
    print passed + executed - xctest_failed - xctest_skipped, failed + xctest_failed, skipped + xctest_skipped
}
