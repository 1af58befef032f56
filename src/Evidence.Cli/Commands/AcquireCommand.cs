using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Sources.Nbd;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class AcquireCommand
{
    private static readonly Argument<string[]> Sources = new("SOURCE")
    {
        Description = "A block device, an image file, any part of a split image or of an E01, nbd://HOST/EXPORT (nbds:// for TLS), or - for standard input.",
        Arity = ArgumentArity.OneOrMore,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<string?> Examiner = new("--examiner") { Description = "Who makes the image, for the record.", HelpName = "NAME" };

    private static readonly Option<string[]> WriteBlockers = new("--write-blocker")
    {
        Description = "What keeps writes from the source, in your words, for the record: make, model, serial number. Once for all sources, or once for each, in order.",
        HelpName = "TEXT",
    };

    private static readonly Option<string[]> Seals = new("--seal")
    {
        Description = "The seal that the source came under, in your words, for the record. Once for all sources, or once for each, in order.",
        HelpName = "TEXT",
    };

    private static readonly Option<string> Digests = new("--digest")
    {
        Description = "Digests of the whole image: md5, sha1, sha256, sha512, separated by commas; or none.",
        HelpName = "LIST",
        DefaultValueFactory = _ => "md5,sha1,sha256",
    };

    private static readonly Option<bool> ReadHoles = new("--read-holes")
    {
        Description = "Read what the file system, or an NBD server, calls holes, instead of recording its claim that nothing is there.",
    };

    private static readonly Option<bool> SingleFile = new("--single-file")
    {
        Description = "Take a file that is named like a part of a split image (disk.001), or that begins like an E01, as an image of its own, byte for byte.",
    };

    private static readonly Option<bool> Resume = new("--resume")
    {
        Description = "Go on from the item's newest image, which is incomplete: read what it lacks, make a new image of both. A run that was interrupted is gone on with by itself.",
    };

    private static readonly Option<bool> Restart = new("--restart")
    {
        Description = "Begin anew, also where an earlier run of the same command was interrupted and could be gone on with.",
    };

    private static readonly Option<int> Retries = new("--retries")
    {
        Description = "How often to read each bad sector again, in turns backwards and forwards.",
        HelpName = "N",
        CustomParser = r => Options.Count(r, 0),
    };

    private static readonly Option<bool> NoScrape = new("--no-scrape")
    {
        Description = "Around errors read only up to the first bad sector from either side; what lies between is left for --resume.",
    };

    private static readonly Option<string?> TimeBudget = new("--time-budget")
    {
        Description = "When to stop reading, as 90s, 45m or 12h: what is healthy is read first, and what is left is recorded as not read.",
        HelpName = "TIME",
    };

    private static readonly Option<string?> MapfileOption = new("--mapfile")
    {
        Description = "The ddrescue mapfile of SOURCE, which is what ddrescue rescued: only what the mapfile calls finished is taken.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> Direct = new("--direct")
    {
        Description = "Read files past the page cache from the beginning, where their file system grants that; devices always are, files otherwise from the first error on.",
    };

    private static readonly Option<string?> ReconnectTime = new("--reconnect-time")
    {
        Description = "How long to try to reach an NBD server again that was lost, as 90s, 45m or 12h; a minute unless told otherwise. Then it counts as gone.",
        HelpName = "TIME",
    };

    private static readonly Option<int> Jobs = new("--jobs")
    {
        Description = "How many sources are imaged at one time, at most: 16 unless told otherwise. 1 where they lie on one disk with a moving head.",
        HelpName = "N",
        DefaultValueFactory = _ => Acquirer.DefaultSideBySide,
        CustomParser = r => Options.Count(r, 1),
    };

    private static readonly Option<bool> NoVerify = new("--no-verify")
    {
        Description = "Leave out reading everything back from the medium at the end. The record says so; 'evidence verify' does it later.",
    };

    internal static Command Build()
    {
        var command = new Command(
            "acquire",
            """
            Images sources into the vault: reads each once, stores what the vault does not have yet, reads everything back from the medium, and records it
            in the ledger. Several sources are imaged side by side, which takes far less time than one after the other: their digests go through the
            processor's vectors together. One that fails does not touch the others.
            The digests that an E01 stores are compared with what is read: where one differs the image is kept, and the exit code is 3; where none is stored it is 4.

            Examples:
              evidence acquire /dev/sdb --case 2026-117 --item server-7 --examiner "A. Turing"
              evidence acquire disk1.img disk2.img --item web-1 --item web-2
              evidence acquire /dev/sd[b-q] --case 2026-117 --jobs 16
              evidence acquire /dev/sdc --item server-9 --retries 3 --time-budget 12h
              evidence acquire /dev/sdc --item server-9 --resume
              evidence acquire disk.E01 --item server-9
              evidence acquire rescued.img --item server-9 --resume --mapfile rescued.map
              ssh host 'cat /dev/vda' | evidence acquire - --item host-vda
              evidence acquire nbds://hypervisor:10809/vm-12?tls-certificates=/etc/pki/nbd --item vm-12
              evidence acquire nbd+unix:///?socket=/run/qemu-nbd.sock --item vm-13
            """)
        {
            Sources, Options.Case, Options.Items, Examiner, WriteBlockers, Seals, Digests, Options.Compression, ReadHoles, SingleFile, NoVerify,
            Resume, Restart, Retries, NoScrape, TimeBudget, MapfileOption, Direct, ReconnectTime, Jobs,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        string[] sources = parsed.GetValue(Sources)!;
        string[] items = parsed.GetValue(Options.Items) ?? [];
        if (items.Length > 0 && items.Length != sources.Length)
            throw new EvidenceException(ErrorCode.Usage, $"There are {sources.Length} sources and {items.Length} items: give --item once for each source, in order.");
        if (sources.Length > 1 && parsed.GetValue(MapfileOption) is not null)
            throw new EvidenceException(ErrorCode.Usage, "A mapfile is of one source: acquire the others without it.");
        if (sources.Count(s => s == "-") > 1)
            throw new EvidenceException(ErrorCode.Usage, "Standard input can be imaged only once.");
        Func<int, string?> writeBlocker = ForEach(parsed, WriteBlockers, sources.Length);
        Func<int, string?> seal = ForEach(parsed, Seals, sources.Length);
        var options = new AcquisitionOptions
        {
            Case = parsed.GetValue(Options.Case),
            Examiner = parsed.GetValue(Examiner),
            Digests = ParseDigests(parsed.GetValue(Digests)!),
            Compression = Options.CompressionOf(parsed),
            ReadHoles = parsed.GetValue(ReadHoles),
            SkipReadBack = parsed.GetValue(NoVerify),
            Resume = !parsed.GetValue(Restart),
            Rescue = new RescueOptions
            {
                Retries = parsed.GetValue(Retries),
                Scrape = !parsed.GetValue(NoScrape),
                TimeBudget = parsed.GetValue(TimeBudget) is { } budget ? Units.ParseTime(budget) : null,
            },
            Mapfile = parsed.GetValue(MapfileOption) is { } mapfile ? ReadMapfile(mapfile) : null,
        };

        // All sources are looked at before a vault is made for them.
        var opening = new SourceOptions
        {
            SingleFile = parsed.GetValue(SingleFile),
            DirectIO = parsed.GetValue(Direct) ? true : null,
            Nbd = parsed.GetValue(ReconnectTime) is { } patience ? new NbdOptions { ReconnectTime = Units.ParseTime(patience) } : new NbdOptions(),
            Logger = session.Access.Logger,
        };
        Attempt[] attempts = [.. sources.Select((s, i) => new Attempt(s, items.ElementAtOrDefault(i), opening))];
        foreach (Attempt attempt in attempts)
            attempt.Open();
        if (attempts is [{ Failure: { } only }])
            throw only;
        if (attempts.All(a => a.Failure is not null))
            return Answer(session, attempts, vault: null, space: null);

        using Vault vault = Vault.OpenOrCreate(session.VaultFolder, session.Access);
        SpaceEstimate space = SpaceEstimate.Of(vault, attempts.Select(a => a.Source).OfType<Source>(), options.ReadHoles);
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            var acquirer = new Acquirer(vault);
            if (parsed.GetValue(Resume))
            {
                foreach (Attempt attempt in attempts)
                    attempt.Continue(vault);
            }

            (Attempt Attempt, AcquisitionRequest Request)[] runs =
            [
                .. attempts.Index().Where(a => a.Item.Failure is null).Select(a => (
                    a.Item, a.Item.Request(options with { WriteBlocker = writeBlocker(a.Index), Seal = seal(a.Index) }, display))),
            ];
            IReadOnlyList<AcquisitionOutcome> outcomes = await acquirer.AcquireAllAsync([.. runs.Select(r => r.Request)], parsed.GetValue(Jobs), cancellation);
            foreach (((Attempt attempt, _), AcquisitionOutcome outcome) in runs.Zip(outcomes))
                attempt.End(outcome);
        }

        int exitCode = Answer(session, attempts, vault, space);
        foreach (Attempt attempt in attempts)
            attempt.Dispose();
        return exitCode;
    }

    private static RescueMap ReadMapfile(string path)
    {
        using StreamReader reader = File.OpenText(path);
        return Mapfile.Read(reader, path);
    }

    /// <summary>An option that is given once for all sources, or once for each.</summary>
    private static Func<int, string?> ForEach(ParseResult parsed, Option<string[]> option, int sources) => parsed.GetValue(option) switch
    {
        null or [] => _ => null,
        [string all] => _ => all,
        { } each when each.Length == sources => index => each[index],
        { } each => throw new EvidenceException(
            ErrorCode.Usage, $"There are {sources} sources, and {option.Name} is there {each.Length} times: give it once for all, or once for each, in order."),
    };

    private static int Answer(Session session, Attempt[] attempts, Vault? vault, SpaceEstimate? space)
    {
        session.Answer(
            () => ToJson(attempts, space),
            text =>
            {
                foreach (Attempt attempt in attempts)
                    attempt.Print(text, vault);
            });
        return ExitCode.Worst(attempts.Select(a => a.ExitCode));
    }

    private static JsonObject ToJson(Attempt[] attempts, SpaceEstimate? space)
    {
        var json = new JsonObject { ["images"] = new JsonArray([.. attempts.Select(a => a.ToJson())]) };
        if (space is not null)
        {
            json["space"] = new JsonObject
            {
                ["atMost"] = space.AtMost is { } most ? DecimalText.Format(most) : null,
                ["free"] = space.Free is { } free ? DecimalText.Format(free) : null,
            };
        }

        return json;
    }

    private static DigestAlgorithm[] ParseDigests(string list)
    {
        if (string.Equals(list, "none", StringComparison.Ordinal))
            return [];
        return [.. list.Split(',', StringSplitOptions.TrimEntries).Select(name => name.ToLowerInvariant()).Select(name => DigestAlgorithms.TryParse(name, out DigestAlgorithm algorithm)
            ? algorithm
            : throw new EvidenceException(ErrorCode.Usage, $"'{name}' is no digest: md5, sha1, sha256, sha512, or none."))];
    }

    /// <summary>One source, and what became of it.</summary>
    private sealed class Attempt(string name, string? item, SourceOptions opening) : IDisposable
    {
        private Source? source;
        private Sha256Digest? continues;
        private AcquisitionResult? result;

        internal Source? Source => source;

        internal EvidenceException? Failure { get; private set; }

        internal int ExitCode => Failure is not null ? Cli.ExitCode.Of(Failure.Code)
            : result!.Manifest.Container?.Verdict == StoredDigestsVerdict.Mismatch ? Cli.ExitCode.Refuted
            : result.Manifest.IsComplete && result.Manifest.Container?.Verdict != StoredDigestsVerdict.None ? Cli.ExitCode.Done : Cli.ExitCode.Incomplete;

        internal void Open()
        {
            try
            {
                source = name == "-" ? Source.OpenStandardInput() : Source.Open(name, opening);
            }
            catch (EvidenceException e)
            {
                Failure = e;
            }
        }

        /// <summary>Finds the image to go on from.</summary>
        internal void Continue(Vault vault)
        {
            try
            {
                continues = source is null ? null : Acquirer.FindIncomplete(vault, item ?? Acquirer.DefaultItem(source));
            }
            catch (EvidenceException e)
            {
                Failure = e;
            }
        }

        /// <summary>What the library is asked for. Its line of progress is there once it has begun.</summary>
        internal AcquisitionRequest Request(AcquisitionOptions options, ProgressDisplay display)
        {
            var job = new Lazy<ProgressDisplay.Job>(() => display.Add(item ?? name));
            return new AcquisitionRequest(
                source!, options with { Item = item, Continues = continues },
                new DirectProgress<AcquisitionProgress>(p => job.Value.Report(NameOf(p.Phase), p.Done, p.Total)));
        }

        internal void End(AcquisitionOutcome outcome)
        {
            result = outcome.Result;
            Failure = outcome.Failure is { } failure ? Session.FailureOf(failure) : null;
        }

        private static string NameOf(AcquisitionPhase phase) => phase switch
        {
            AcquisitionPhase.Reading => "reading",
            AcquisitionPhase.Rescuing => "rescuing",
            AcquisitionPhase.Assembling => "assembling",
            _ => "reading back",
        };

        internal JsonObject ToJson()
        {
            var json = new JsonObject { ["source"] = name };
            if (result is { } r)
            {
                json["item"] = r.Item;
                json["case"] = r.Case;
                json["image"] = $"sha256:{r.Image}";
                json["root"] = r.Manifest.Root.ToString();
                json["size"] = DecimalText.Format(r.Manifest.Size);
                json["digests"] = new JsonObject(r.Manifest.Digests.Select(d => KeyValuePair.Create(d.Algorithm.Name(), (JsonNode?)d.Value)));
                json["segments"] = DecimalText.Format(r.Segments);
                json["newSegments"] = DecimalText.Format(r.NewSegments);
                json["newBytes"] = DecimalText.Format(r.NewBytes);
                json["storedBytes"] = DecimalText.Format(r.StoredBytes);
                json["zeroBytes"] = DecimalText.Format(r.Manifest.Totals.GetValueOrDefault(RunKind.Zero));
                json["holeBytes"] = DecimalText.Format(r.Manifest.Totals.GetValueOrDefault(RunKind.Hole));
                json["live"] = source!.Identity.IsLive;
                json["direct"] = source.IsDirect;
                json["unreadable"] = new JsonArray([.. r.Manifest.Absent.Where(a => a.Kind == RunKind.Unreadable).Select(a =>
                    new JsonObject { ["offset"] = DecimalText.Format(a.Offset), ["length"] = DecimalText.Format(a.Length) })]);
                json["unread"] = new JsonArray([.. r.Manifest.Absent.Where(a => a.Kind == RunKind.Unread).Select(a =>
                    new JsonObject { ["offset"] = DecimalText.Format(a.Offset), ["length"] = DecimalText.Format(a.Length), ["reason"] = a.Reason })]);
                json["differences"] = new JsonArray([.. r.Manifest.Differences.Select(d =>
                    new JsonObject { ["what"] = d.What, ["offset"] = DecimalText.Format(d.Offset), ["length"] = DecimalText.Format(d.Length) })]);
                if (r.Manifest.Container is { } container)
                    json["container"] = ContainerText.ToJson(container);
                json["continues"] = r.Manifest.Continues is { } continued ? $"sha256:{continued}" : null;
                json["runs"] = r.Manifest.Runs.Count;
                json["resumedBytes"] = DecimalText.Format(r.Manifest.Runs[^1].Held);
                json["verified"] = r.Verified;
                json["entry"] = r.Entry is { } entry ? DecimalText.Format(entry) : null;
                json["seconds"] = Math.Round(r.Elapsed.TotalSeconds, 3);
            }

            if (Failure is not null)
                json["error"] = Session.Error(Failure.Code, Failure.Message);
            return json;
        }

        internal void Print(TextWriter text, Vault? vault)
        {
            if (Failure is not null)
            {
                Console.Error.WriteLine($"evidence: {SafeWriter.Shown(Failure.Message)}");
                return;
            }

            ImageManifest manifest = result!.Manifest;
            text.WriteLine($"Imaged {name} as '{result.Item}'{(result.Case is null ? "" : $" in case {result.Case}")}: " +
                $"{Units.Exact(manifest.Size)} in {Units.Seconds(result.Elapsed)}");
            text.WriteLine($"  image      sha256:{result.Image}");
            text.WriteLine($"  map root   {manifest.Root}");
            foreach (ImageDigest digest in manifest.Digests)
                text.WriteLine($"  {digest.Algorithm.Name(),-10} {digest.Value}");
            text.WriteLine($"  stored     {Units.Count(result.NewSegments)} new segments, of {Units.Count(result.Segments)} in the image: " +
                $"{Units.Size(result.NewBytes)} in {Units.Size(result.StoredBytes)} of packs");
            PrintTotals(text, manifest);
            if (manifest.Continues is { } continued)
                text.WriteLine($"  continues  sha256:{continued}");
            if (manifest.Runs[^1].Held > 0)
                text.WriteLine($"  resumed    {Units.Size(manifest.Runs[^1].Held)} were in the vault already: read back, checked and hashed from there");
            if (manifest.Container is { } container)
                ContainerText.Print(text, container);
            foreach (SourceDifference difference in manifest.Differences)
                text.WriteLine($"  WARNING    {difference.Describe()}");
            if (source!.Identity.Parts.Count > 0)
                text.WriteLine($"  parts      {source.Identity.Parts.Count}, from {source.Identity.Parts[0].Path} to {source.Identity.Parts[^1].Path}");
            if (source.Identity.HasUnequalParts)
                text.WriteLine("  WARNING    the parts differ in length: one of them may have been cut short");
            SourceText.PrintNotes(text, manifest);
            if (source.Identity.Nbd is { } nbd)
                PrintServer(text, nbd);
            text.WriteLine(result.Verified
                ? $"  read back  {Units.Count(result.Segments)} segments were read back from the medium and recomputed: verified"
                : "  read back  left out (--no-verify); run 'evidence verify' before you rely on it");
            text.WriteLine(result.Entry is { } entry
                ? $"  recorded   ledger entry {entry} of {vault!.Settings.Origin}"
                : "  recorded   the entry is signed and waits in staging; what the holder of the log key records next takes it in");
        }

        public void Dispose() => source?.Dispose();

        private static void PrintServer(TextWriter text, NbdIdentity nbd)
        {
            text.WriteLine($"  server     {nbd.Server}, export '{nbd.Export}'{(nbd.Description is { } words ? $": {words}" : "")}");
            if (nbd.Tls is { IsVerified: false })
                text.WriteLine("  WARNING    the server's certificate was not verified: the record names it, but not whose it is");
            if (nbd is { Tls: null, IsLocal: false })
                text.WriteLine("  note       the connection was not encrypted: whoever is on the way could change what was read");
            if (!nbd.IsReadOnly)
                text.WriteLine("  note       the server lets others write to the export; evidence itself only reads");
        }

        private static void PrintTotals(TextWriter text, ImageManifest manifest)
        {
            foreach ((RunKind kind, string words) in (ReadOnlySpan<(RunKind, string)>)[
                (RunKind.Zero, "read, and all zeros: takes no space"),
                (RunKind.Fill, "read, one repeated byte: takes no space"),
                (RunKind.Hole, "holes: not read, the source says that nothing is there"),
                (RunKind.Unreadable, "UNREADABLE: the source refused them; 'evidence show' lists where"),
                (RunKind.Unread, "NOT READ: not attempted, or given up; 'evidence show' lists where and why")])
            {
                if (manifest.Totals.GetValueOrDefault(kind) is > 0 and long bytes)
                    text.WriteLine($"  {kind.Name(),-10} {Units.Size(bytes)} {words}");
            }
        }
    }
}
