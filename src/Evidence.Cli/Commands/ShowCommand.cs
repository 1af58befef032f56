using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ShowCommand
{
    private static readonly Option<bool> Runs = new("--runs") { Description = "Also list every run of the map." };

    internal static Command Build()
    {
        var command = new Command(
            "show",
            """
            Shows one image: its source, size, digests, what its map is made of, what could not be read, and its ledger entries.

            Examples:
              evidence show server-7
              evidence show sha256:3f8a901c --runs
            """)
        {
            Options.Image, Runs,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            ImageRecord record = vault.FindImage(parsed.GetValue(Options.Image)!);
            VaultImage image = vault.OpenImage(record);
            CustodyLedger ledger = vault.Ledger.Open();
            List<JudgedEntry> entries = [.. ledger.JudgeEntries(new KeyRegistry()).Where(e => Concerns(e, record))];
            IReadOnlyList<ImageReceipt> receipts = ReceiptBook.Read(ledger).Of(record.Image);
            bool runs = parsed.GetValue(Runs);
            session.Answer(() => ToJson(record, image, entries, receipts, runs), text => Print(text, record, image, entries, receipts, runs));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static bool Concerns(JudgedEntry judged, ImageRecord record) =>
        judged.Index == record.Entry ||
        (judged.Entry?.Payload.Body.TryGetPropertyValue("image", out JsonNode? image) == true &&
            image is JsonValue value && value.TryGetValue(out string? id) && string.Equals(id, record.Image.ToString(), StringComparison.Ordinal));

    private static JsonObject ToJson(ImageRecord record, VaultImage image, List<JudgedEntry> entries, IReadOnlyList<ImageReceipt> receipts, bool runs)
    {
        var json = new JsonObject
        {
            ["image"] = $"sha256:{image.Id}",
            ["item"] = record.Item,
            ["case"] = record.Case,
            ["live"] = SourceText.IsLive(image.Manifest),
            ["manifest"] = JsonNode.Parse(Encoding.UTF8.GetString(image.Manifest.ToBytes())),
            ["entries"] = new JsonArray([.. entries.Select(EntryText.ToJson)]),
            ["receipts"] = ReceiptText.ToJson(receipts),
        };
        if (runs)
        {
            json["runs"] = new JsonArray([.. image.Runs().Select(r => new JsonObject
            {
                ["offset"] = DecimalText.Format(r.Offset),
                ["length"] = DecimalText.Format(r.Length),
                ["kind"] = r.Kind.Name(),
                ["value"] = r.Kind == RunKind.Fill ? r.Value : null,
                ["segment"] = r.Kind == RunKind.Data ? r.Segment.ToString() : null,
            })]);
        }

        return json;
    }

    private static void Print(TextWriter text, ImageRecord record, VaultImage image, List<JudgedEntry> entries, IReadOnlyList<ImageReceipt> receipts, bool runs)
    {
        ImageManifest manifest = image.Manifest;
        text.WriteLine($"{record.Item}{(record.Case is null ? "" : $" (case {record.Case})")}");
        text.WriteLine($"  image      sha256:{image.Id}");
        text.WriteLine($"  map root   {manifest.Root}");
        text.WriteLine($"  size       {Units.Exact(manifest.Size)}");
        text.WriteLine($"  source     {manifest.Source["kind"]} {manifest.Source["name"]}");
        foreach ((string name, JsonNode? value) in manifest.Source.Where(f => f.Key is not ("kind" or "name")))
            text.WriteLine($"             {name}: {(value is JsonValue v && v.TryGetValue(out string? s) ? s : value?.ToJsonString())}");
        text.WriteLine($"  read       {manifest.Started} to {manifest.Finished} (claimed){(manifest.Examiner is null ? "" : $", by {manifest.Examiner}")}");
        SourceText.PrintStatements(text, manifest);
        SourceText.PrintNotes(text, manifest);
        foreach (ImageDigest digest in manifest.Digests)
            text.WriteLine($"  {digest.Algorithm.Name(),-10} {digest.Value}");
        text.WriteLine(manifest.Digests.Count == 0
            ? "  digests    none were asked for"
            : "             of every byte from 0 to the end, the last short sector included; what was not read counts as zeros");
        foreach (RunKind kind in Enum.GetValues<RunKind>())
        {
            if (manifest.Totals[kind] > 0)
                text.WriteLine($"  {kind.Name(),-10} {Units.Exact(manifest.Totals[kind])}");
        }

        foreach (AbsentRange range in manifest.Absent)
            text.WriteLine($"  {range.Kind.Name(),-10} at {range.Offset}, {range.Length} bytes: {range.Reason}");
        if (manifest.Container is { } container)
            ContainerText.Print(text, container);
        foreach (SourceDifference difference in manifest.Differences)
            text.WriteLine($"  WARNING    {difference.Describe()}");
        if (manifest.Continues is { } continued)
            text.WriteLine($"  continues  sha256:{continued}");
        foreach (AcquisitionRun run in manifest.Runs.Skip(1))
            text.WriteLine($"  resumed    {run.Started}, with {Units.Exact(run.Held)} in the vault");
        if (manifest.Absent.Count == 0)
            text.WriteLine(manifest.Totals[RunKind.Hole] == 0
                ? "  complete   every byte was read"
                : "  complete   nothing was unreadable; the holes were not read, that nothing is there is the source's claim");
        text.WriteLine($"  replicas   {ReceiptText.Line(receipts)}");
        text.WriteLine("  ledger");
        foreach (JudgedEntry entry in entries)
            text.WriteLine($"    {EntryText.Line(entry)}");
        if (!runs)
            return;
        text.WriteLine("  runs");
        foreach (MapRun run in image.Runs())
            text.WriteLine($"    {run.Offset,14} + {run.Length,-10} {run.Kind.Name(),-10} {(run.Kind == RunKind.Data ? run.Segment.ToString() : run.Kind == RunKind.Fill ? $"{run.Value:x2}" : "")}");
    }
}
