using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class NoteCommand
{
    private static readonly Argument<string> Text = new("TEXT") { Description = "What to put on the record." };

    private static readonly Option<string[]> Items = new("--item") { Description = "An item that it concerns; may be given several times.", HelpName = "ID" };

    private static readonly Option<long?> Corrects = new("--corrects") { Description = "The entry that this puts right; that one stays as it is.", HelpName = "ENTRY", CustomParser = r => Options.Entry(r) };

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
            string[] items = parsed.GetValue(Items) ?? [];
            string? caseId = parsed.GetValue(Options.Case);
            using Vault vault = session.OpenVault();
            long? corrected = parsed.GetValue(Corrects);
            string kind = corrected is null ? EntryKind.Note : EntryKind.Correction;
            long? entry = corrected is { } index ? vault.Ledger.RecordCorrection(index, text, items, caseId) : vault.Ledger.RecordNote(text, items, caseId);
            session.Answer(
                () => new JsonObject { ["kind"] = kind, ["entry"] = entry?.ToString(CultureInfo.InvariantCulture) },
                output => output.WriteLine(entry is null ? "Signed; it waits in staging, and what the holder of the log key records next takes it in." : $"Recorded as ledger entry {entry}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
