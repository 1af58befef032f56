using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class NoteCommand
{
    private const int LongestText = 4000;

    private static readonly Argument<string> Text = new("TEXT") { Description = "What to put on the record." };

    private static readonly Option<string[]> Items = new("--item") { Description = "An item that it concerns; may be given several times.", HelpName = "ID" };

    private static readonly Option<long?> Corrects = new("--corrects") { Description = "The entry that this puts right; that one stays as it is.", HelpName = "ENTRY" };

    internal static Command Build()
    {
        var command = new Command(
            "note",
            """
            Puts a remark into the ledger, or a correction of an earlier entry. Entries are never changed.

            Examples:
              evidence note "Server 7 arrived with a broken seal" --item server-7 --case 2026-117
              evidence note "The serial number is S3Z9, not S3Z8" --item server-7 --corrects 12
            """)
        {
            Text, Items, Options.Case, Corrects,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            string text = parsed.GetValue(Text)!;
            if (text.Length is 0 or > LongestText)
                throw new EvidenceException(ErrorCode.Usage, $"A note has 1 to {LongestText} characters. Keep longer texts elsewhere, and note their SHA-256.");
            using Vault vault = session.OpenVault();
            var body = new JsonObject { ["text"] = text };
            string kind = EntryKind.Note;
            if (parsed.GetValue(Corrects) is { } corrected)
            {
                CustodyLedger ledger = vault.Ledger.Open();
                if (corrected < 0 || corrected >= ledger.Size)
                    throw new EvidenceException(ErrorCode.Usage, $"The ledger has no entry {corrected}: it has {ledger.Size}, from 0.");
                kind = EntryKind.Correction;
                body["corrects"] = DecimalText.Format(corrected);
                body["leaf"] = MerkleTree.LeafHash(ledger.ReadEntry(corrected)).ToString();
            }

            long? entry = vault.Ledger.Record(kind, parsed.GetValue(Items) ?? [], parsed.GetValue(Options.Case), body);
            session.Answer(
                () => new JsonObject { ["kind"] = kind, ["entry"] = entry?.ToString(CultureInfo.InvariantCulture) },
                output => output.WriteLine(entry is null ? "Signed; it waits in staging, and what the holder of the log key records next takes it in." : $"Recorded as ledger entry {entry}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
