using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Proofs;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class LogCommand
{
    private static readonly Option<string?> Item = new("--item") { Description = "Only entries that concern this item.", HelpName = "ID" };

    private static readonly Option<string?> Kind = new("--kind") { Description = "Only entries of this kind.", HelpName = "KIND" };

    private static readonly Option<string?> Prove = new("--prove")
    {
        Description = "Also write a proof that these are all entries of the item (--item), for 'evidence check'. It holds all entries of the ledger, so think of who may read them.",
        HelpName = "FILE",
    };

    internal static Command Build()
    {
        var command = new Command(
            "log",
            """
            The custody entries in order: who did what, and when they say they did. Each signature is judged at its place in the log; where a later entry says that
            its key was compromised, that is said beside it.

            Examples:
              evidence log
              evidence log --item server-7
              evidence --json log --kind acquisition
              evidence log --item server-7 --prove server-7.proof   and the proof that these are all of them
            """)
        {
            Item, Options.Case, Kind, Prove, Options.Policy, Options.Trust,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            CustodyLedger ledger = vault.Ledger.Open();
            LedgerWitnessing witnessing = ledger.Witnessing(Options.FindPolicy(session, parsed));
            string? item = parsed.GetValue(Item);
            string? caseId = parsed.GetValue(Options.Case);
            string? kind = parsed.GetValue(Kind);
            if (parsed.GetValue(Prove) is { } path)
            {
                if (item is null)
                    throw new EvidenceException(ErrorCode.Usage, "Say by --item of which item all entries are to be proved.");
                new Prover(vault).Write(ProofSubject.OfItem(item), path, cancellation);
            }

            IEnumerable<JudgedEntry> entries = ledger.JudgeEntries(witnessing.ProvedTimes.With(LedgerTimestamps.Proved(vault.Timestamps.List(session.TrustOf(parsed))))).Where(e =>
                (item is null || e.Entry?.Payload.Items.Contains(item, StringComparer.Ordinal) == true) &&
                (caseId is null || string.Equals(e.Entry?.Payload.Case, caseId, StringComparison.Ordinal)) &&
                (kind is null || string.Equals(e.Entry?.Payload.Kind, kind, StringComparison.Ordinal)));
            session.Answer(
                () => new JsonObject
                {
                    ["origin"] = ledger.Checkpoint.Origin,
                    ["size"] = DecimalText.Format(ledger.Size),
                    ["root"] = ledger.Root.ToString(),
                    ["witnessedSize"] = DecimalText.Format(witnessing.Size),
                    ["unwitnessedTail"] = DecimalText.Format(witnessing.Tail),
                    ["entries"] = new JsonArray([.. entries.Select(EntryText.ToJson)]),
                    ["receipts"] = ReceiptText.ToJson(ReceiptBook.Read(ledger)),
                },
                text =>
                {
                    text.WriteLine($"The custody ledger of {ledger.Checkpoint.Origin}: {Units.Count(ledger.Size)} entries, root {ledger.Root}");
                    text.WriteLine(WitnessText.Anchor(ledger.Size, witnessing.Size, witnessing.Verdict));
                    text.WriteLine("Times are what the signer claims; the order is what the ledger proves.");
                    var receipts = ReceiptBook.Read(ledger);
                    int shown = 0;
                    foreach (JudgedEntry entry in entries)
                    {
                        text.WriteLine();
                        EntryText.Print(text, entry);
                        if (EntryText.ImageOf(entry) is { } image && receipts.Of(image) is { Count: > 0 } held)
                            text.WriteLine($"       {ReceiptText.Line(held)}");
                        shown++;
                    }

                    if (shown == 0)
                        text.WriteLine("No entry matches.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
