import Domain
import Wire

/// What `/metrics` says of the ledger, the second witness and the storage.
extension MetricsText {
    mutating func addLedger(_ ledger: FireLedger) {
        add(
            "mesh_ledger", .gauge, "Fires by state.",
            ledger.byState.map { Sample($0.count, [("state", $0.name)]) }
                + [
                    Sample(ledger.unaccounted, [("state", "unaccounted")]),
                    Sample(ledger.overdue, [("state", "overdue")]),
                ])
        add("mesh_fires_sent_total", .counter, "Fires that left for a terminal.", [Sample(ledger.sent)])
        add(
            "mesh_fires_accounted_total", .counter, "Fires that left and whose outcome is known.",
            [Sample(ledger.accounted)])
        add(
            "mesh_fires_unaccounted", .gauge, "Fires that left and whose outcome is not known.",
            [
                Sample(ledger.unaccounted)
            ])
        add("mesh_fires_unknown", .gauge, "Fires nobody knows the outcome of.", [Sample(ledger.unknown)])
        add("mesh_fires_overdue", .gauge, "Unaccounted fires past their deadline.", [Sample(ledger.overdue)])
        add(
            "mesh_fires_oldest_age_seconds", .gauge, "Age of the oldest unaccounted fire; 0 where there is none.",
            [Sample(Double(ledger.oldestAgeMilliseconds ?? 0) / 1000)])
        add(
            "mesh_fires_money_at_risk", .gauge, "What the stops of unaccounted fires would cost, per currency.",
            ledger.moneyAtRisk.sorted { $0.key < $1.key }.map { Sample($1.double, [("currency", $0)]) })
    }

    mutating func addReconciliation(_ counts: ReconciliationCounts) {
        add(
            "mesh_reconciliation_accounts", .gauge, "Accounts that were compared with a second witness.",
            [Sample(counts.accounts)])
        add(
            "mesh_reconciliation_positions", .gauge, "Positions by the list they are in.",
            AccountReconciliation.List.allCases.map { Sample(counts.items[$0] ?? 0, [("list", $0.rawValue)]) })
        add(
            "mesh_reconciliation_unexplained", .gauge, "Balance steps that nothing explains.",
            [Sample(counts.unexplained)])
        add("mesh_questions_open", .gauge, "Questions that wait for an operator.", [Sample(counts.questions)])
        add(
            "mesh_questions_open_by_kind", .gauge, "The same by kind.",
            counts.questionsByKind.sorted { $0.key < $1.key }.map { Sample($0.value, [("kind", $0.key)]) })
    }

    mutating func addStorage(_ snapshot: Snapshot) {
        if let memory = snapshot.redisMemory {
            add(
                "mesh_redis_memory_limit_bytes", .gauge, "maxmemory, or the memory of the machine.",
                [Sample(memory.maximum)])
            if let share = memory.share {
                add("mesh_redis_memory_share", .gauge, "Used share of that, 0 to 1.", [Sample(share)])
            }
        }
        let journal = JournalStorage(snapshot)
        if let segments = journal.segments {
            add("mesh_journal_segments", .gauge, "Segments of the confirmations' journal.", [Sample(segments)])
        }
        add(
            "mesh_journal_bytes", .gauge, "Size of the journals on disk.",
            JournalStorage.tiers.compactMap { tier in
                journal.byTier[tier].map { Sample($0, [("journal", "confirmations"), ("tier", tier)]) }
            } + (journal.ledgerBytes.map { [Sample($0, [("journal", "ledger"), ("tier", "all")])] } ?? []))
    }
}

/// How long each stage of a fire took.
extension MetricsText {
    mutating func addStages(_ stages: StageHistograms) {
        let name = "mesh_stage_seconds"
        let known = Stage.allCases.filter { stages.byStage[$0] != nil }
        guard !known.isEmpty else { return }
        addHead(name, .histogram, "How long each stage of a fire took; counted since the dashboard was started.")
        for stage in known {
            guard let histogram = stages.byStage[stage] else { continue }
            var total: Int64 = 0
            for (bound, count) in zip(StageHistograms.bounds, histogram.counts) {
                total += count
                let labels = [("stage", stage.rawValue), ("le", "\(Double(bound) / 1000)")]
                addLine("\(name)_bucket", Sample(total, labels))
            }
            total += histogram.counts.last ?? 0
            addLine("\(name)_bucket", Sample(total, [("stage", stage.rawValue), ("le", "+Inf")]))
            addLine("\(name)_sum", Sample(Double(histogram.sum) / 1000, [("stage", stage.rawValue)]))
            addLine("\(name)_count", Sample(total, [("stage", stage.rawValue)]))
        }
    }
}
