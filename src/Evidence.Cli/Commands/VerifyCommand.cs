using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger.Timestamping;
using Evidence.Vaults;
using Evidence.Verification;

namespace Evidence.Cli.Commands;

internal static class VerifyCommand
{
    private static readonly Argument<string[]> Images = new("IMAGE")
    {
        Description = "Items, or sha256: and at least eight digits; without any: everything.",
        Arity = ArgumentArity.ZeroOrMore,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<bool> Digests = new("--digests") { Description = "Also compute the digests of whole images anew." };

    private static readonly Option<bool> Scrub = new("--scrub")
    {
        Description = "Only hold stored bytes against their checksums: quicker, finds rot, recomputes no content.",
    };

    private static readonly Option<bool> FromMedium = new("--from-medium")
    {
        Description = "Have the system forget what it cached of each pack first, so that the medium itself is read. The entry says so; only then does a copy count as preserved.",
    };

    private static readonly Option<bool> NoRecord = new("--no-record") { Description = "Write no entry into the ledger." };

    internal static Command Build()
    {
        var command = new Command(
            "verify",
            """
            Recomputes every segment, the maps and the ledger, and says what is wrong, where, and which images it touches. Needs no key and trusts no cache.
            Where the log key is at hand, the outcome is recorded in the ledger. Witnesses count by your own policy alone, never by one of the vault's.

            Examples:
              evidence verify
              evidence verify server-7 --digests
              evidence verify --from-medium
              evidence --json verify --scrub
              evidence verify --policy witnesses.policy
            """)
        {
            Images, Digests, Scrub, FromMedium, NoRecord, Options.Policy, Options.Trust,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        var options = new VerificationOptions
        {
            Images = parsed.GetValue(Images) ?? [],
            Digests = parsed.GetValue(Digests),
            StoredBytesOnly = parsed.GetValue(Scrub),
            FromMedium = parsed.GetValue(FromMedium),
            Keys = session.Access.Keys,
            Trust = session.TrustOf(parsed),
            Policy = Options.FindPolicy(session, parsed),
            Logger = session.Access.Logger,
        };
        VerificationReport report;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(session.VaultFolder);
            report = await VaultVerifier.VerifyAsync(
                session.VaultFolder, options, new DirectProgress<VerificationProgress>(p => job.Report("verifying", p.Done, p.Total)), cancellation);
        }

        long? entry = parsed.GetValue(NoRecord) ? null : TryRecord(session, report, options);
        session.Answer(() => ToJson(report, entry), text => Print(text, session.VaultFolder, report, entry));
        return ExitCode.Of(report.Content);
    }

    /// <summary>Records the outcome where that works. Where it does not, the answer is what was found all the same.</summary>
    private static long? TryRecord(Session session, VerificationReport report, VerificationOptions options)
    {
        try
        {
            return Record(session, report, options);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Console.Error.WriteLine($"evidence: The outcome was not recorded in the ledger: {e.Message}");
            return null;
        }
    }

    /// <summary>Records the outcome, unless the ledger itself is in doubt: nothing is built on that.</summary>
    private static long? Record(Session session, VerificationReport report, VerificationOptions options)
    {
        if (report.Ledger.Content == ContentVerdict.Refuted || report.Findings.Any(f => f.What == "vault"))
            return null;
        using Vault vault = Vault.Open(session.VaultFolder, session.Access with { CacheFolder = null });
        if (!vault.Ledger.IsSequencer)
            return null;
        return vault.Ledger.RecordVerification(report.ToOutcome(options));
    }

    private static JsonObject ToJson(VerificationReport report, long? entry) => new()
    {
        ["content"] = NameOf(report.Content),
        ["anchor"] = report.Anchor.ToString().ToLowerInvariant(),
        ["images"] = new JsonArray([.. report.Images.Select(i => new JsonObject
        {
            ["image"] = $"sha256:{i.Image}",
            ["item"] = i.Item,
            ["content"] = NameOf(i.Content),
            ["findings"] = Findings(i.Findings),
            ["receipts"] = ReceiptText.ToJson(i.Receipts),
        })]),
        ["ledger"] = new JsonObject
        {
            ["origin"] = report.Ledger.Origin,
            ["size"] = DecimalText.Format(report.Ledger.Size),
            ["root"] = report.Ledger.Root?.ToString(),
            ["content"] = NameOf(report.Ledger.Content),
            ["witnessedSize"] = DecimalText.Format(report.Ledger.WitnessedSize),
            ["timestampedSize"] = DecimalText.Format(report.Ledger.Timestamped?.Checkpoint.Size ?? 0),
            ["timestampedAt"] = report.Ledger.Timestamped is { } stamp ? Timestamps.Format(stamp.NoLaterThan) : null,
            ["timestamps"] = TimestampText.ToJson(report.Ledger.Timestamps),
            ["unwitnessedTail"] = DecimalText.Format(report.Ledger.UnwitnessedTail),
            ["witnesses"] = report.Ledger.Witnesses is { } verdict ? WitnessText.ToJson(verdict) : null,
            ["keysPinned"] = report.Ledger.KeysPinned,
            ["findings"] = Findings(report.Ledger.Findings),
        },
        ["findings"] = Findings(report.Findings),
        ["scrub"] = report.StoredBytesOnly,
        ["bytesChecked"] = DecimalText.Format(report.BytesChecked),
        ["entry"] = entry is { } index ? DecimalText.Format(index) : null,
    };

    private static JsonArray Findings(IEnumerable<Finding> findings) => new([.. findings.Select(f => new JsonObject
    {
        ["what"] = f.What,
        ["file"] = f.File,
        ["offset"] = f.Offset is { } offset ? DecimalText.Format(offset) : null,
        ["length"] = f.Length is { } length ? DecimalText.Format(length) : null,
        ["detail"] = f.Detail,
        ["content"] = NameOf(f.Verdict),
    })]);

    private static void Print(TextWriter text, string folder, VerificationReport report, long? entry)
    {
        text.WriteLine($"{NameOf(report.Content).ToUpperInvariant()}  {folder}{(report.StoredBytesOnly ? " (stored bytes only: no content was recomputed)" : "")}");
        foreach (Finding finding in report.Findings)
            Print(text, "  ", finding);
        foreach (ImageVerdict image in report.Images)
        {
            text.WriteLine($"  {NameOf(image.Content),-12} {(image.Item.Length > 0 ? image.Item : "(no entry)")}  sha256:{image.Image.ToString()[..16]}");
            foreach (Finding finding in image.Findings)
                Print(text, "    ", finding);
            if (image.Receipts.Count > 0)
                text.WriteLine($"    {ReceiptText.Line(image.Receipts)}");
        }

        LedgerVerdict ledger = report.Ledger;
        text.WriteLine($"  {NameOf(ledger.Content),-12} ledger of {ledger.Origin ?? "an unknown origin"}, {Units.Count(ledger.Size)} entries");
        foreach (Finding finding in ledger.Findings)
            Print(text, "    ", finding);
        text.WriteLine(ledger.KeysPinned
            ? "  signed by the log keys that this machine knows"
            : "  signed by the log keys that the vault itself declares: consistent, but this machine cannot say whose they are");
        foreach (KeptTimestamp kept in ledger.Timestamps.Where(kept => kept is { Defect: null, Contradiction: null, Verdict.Refusal: null }))
            TimestampText.Print(text, "  ", kept);
        if (ledger.WitnessedSize > 0 || ledger.Timestamped is null)
            text.WriteLine($"  {WitnessText.Anchor(ledger.Size, ledger.WitnessedSize, ledger.Witnesses)}");
        if (ledger.Timestamped is { } stamped)
            text.WriteLine($"  {(ledger.WitnessedSize > 0 ? "and" : "anchor:")} timestamped, up to {Units.Count(stamped.Checkpoint.Size)} of {Units.Count(ledger.Size)} entries");
        foreach (string sentence in ledger.Witnesses?.Explanation ?? [])
            text.WriteLine($"    {sentence}");
        if (entry is { } index)
            text.WriteLine($"  recorded as ledger entry {index}");
    }

    private static void Print(TextWriter text, string indent, Finding finding)
    {
        string place = finding switch
        {
            { File: { } file, Offset: { } offset } => $"{file} at {offset}: ",
            { File: { } file } => $"{file}: ",
            { Offset: { } offset, Length: { } length } => $"bytes {offset} to {offset + length - 1} of the image: ",
            _ => "",
        };
        text.WriteLine($"{indent}{(finding.Verdict == ContentVerdict.Verified ? "note" : NameOf(finding.Verdict))}: {place}{finding.Detail}");
    }

    private static string NameOf(ContentVerdict verdict) => verdict.ToString().ToLowerInvariant();
}
