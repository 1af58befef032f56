using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Segments;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>A digest of a whole image, from its first byte to its last; what was not read counts as zeros.</summary>
/// <param name="Algorithm">The algorithm.</param>
/// <param name="Value">The digest in lower-case hexadecimal.</param>
public sealed record ImageDigest(DigestAlgorithm Algorithm, string Value);

/// <summary>A range of an image that was not read.</summary>
/// <param name="Kind"><see cref="RunKind.Unreadable"/> or <see cref="RunKind.Unread"/>.</param>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Reason">Why: the system's name for the error (<c>EIO</c>), or words.</param>
public sealed record AbsentRange(RunKind Kind, long Offset, long Length, string Reason)
{
    /// <summary>The offset after its last byte.</summary>
    internal long End => Offset + Length;
}

/// <summary>A run of the acquisition: an image whose making was interrupted has several.</summary>
/// <param name="Started">The claimed instant at which it began.</param>
/// <param name="Held">Bytes of the source that the vault held by then, from the runs before or from the image that this one continues.</param>
public sealed record AcquisitionRun(Instant Started, long Held);

/// <summary>Something about the source that was not the same at the end as at the beginning.</summary>
/// <param name="What"><c>shorter</c>, <c>longer</c>, <c>modified</c> (written to, by its file's times), <c>content</c> (a range gave other bytes when it was read again), <c>gone</c>.</param>
/// <param name="Offset">The first byte concerned: the range's, or where the source ended.</param>
/// <param name="Length">The number of bytes concerned; 0 where that is not known.</param>
public sealed record SourceDifference(string What, long Offset, long Length)
{
    /// <summary>In words.</summary>
    public string Describe() => What switch
    {
        "shorter" => "The source ended before the length that it had when it was opened.",
        "longer" => "The source grew while it was imaged: what came after its end is not in the image.",
        "modified" => "The source's file was written to while it was imaged: the image is of no single moment.",
        "content" => "The source gave other bytes when it was read a second time: it was written to, or it cannot be relied on.",
        "gone" => "The source was gone before it was read to its end.",
        _ => What,
    };
}

/// <summary>The description of an image; the SHA-256 of its bytes is the image's name (<c>docs/format/manifest.md</c>).</summary>
public sealed record ImageManifest
{
    /// <summary>The most bytes that a manifest may have.</summary>
    internal const int LargestSize = 64 << 20;

    private const string FormatName = "evidence-image";
    private const int Version = 1;

    /// <summary>What was imaged, as the system described it: always with <c>kind</c> and <c>name</c>.</summary>
    public required JsonObject Source { get; init; }

    /// <summary>The image's size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The claimed instant at which reading began.</summary>
    public required Instant Started { get; init; }

    /// <summary>The claimed instant at which the last byte was read.</summary>
    public required Instant Finished { get; init; }

    /// <summary>Who made the image, where given.</summary>
    public string? Examiner { get; init; }

    /// <summary>What kept writes from the source, as the examiner states it.</summary>
    public string? WriteBlocker { get; init; }

    /// <summary>The seal that the source came under, as the examiner states it.</summary>
    public string? Seal { get; init; }

    /// <summary>The state of the clock that the times came from; null where the system did not tell.</summary>
    public ClockSynchronisation? Clock { get; init; }

    /// <summary>The name and version of the software that made the image.</summary>
    public required (string Name, string Version) Tool { get; init; }

    /// <summary>How hard the writer tried to make segments smaller.</summary>
    public required Compression Compression { get; init; }

    /// <summary>Whether what the source called holes was read all the same.</summary>
    public required bool HolesRead { get; init; }

    /// <summary>The parameters that the map was made with.</summary>
    public required SegmentParameters Segments { get; init; }

    /// <summary>The map's root.</summary>
    public required Sha256Digest Root { get; init; }

    /// <summary>The ids of the page tables, in order.</summary>
    public required IReadOnlyList<Sha256Digest> Tables { get; init; }

    /// <summary>Bytes of each kind of run.</summary>
    public required IReadOnlyDictionary<RunKind, long> Totals { get; init; }

    /// <summary>The ranges that were not read, in order; those of one kind that touch are one.</summary>
    public required IReadOnlyList<AbsentRange> Absent { get; init; }

    /// <summary>The image that this one continues: what that one has was not read again.</summary>
    public Sha256Digest? Continues { get; init; }

    /// <summary>The runs that it took, in order; at least one.</summary>
    public required IReadOnlyList<AcquisitionRun> Runs { get; init; }

    /// <summary>How the source changed while it was imaged; empty where no change was noticed.</summary>
    public IReadOnlyList<SourceDifference> Differences { get; init; } = [];

    /// <summary>The digests of the whole image.</summary>
    public required IReadOnlyList<ImageDigest> Digests { get; init; }

    /// <summary>What the container that the image came in says, and how its digests compare; null where it came in none.</summary>
    public ImportedContainer? Container { get; init; }

    /// <summary>The number of the map's pages.</summary>
    public long Pages => (Size / SegmentParameters.PageSize) + (Size % SegmentParameters.PageSize == 0 ? 0 : 1);

    /// <summary>Whether every byte was read, or said by the source to be a hole, of a source that did not change meanwhile as far as was noticed.</summary>
    public bool IsComplete => Absent.Count == 0 && Differences.Count == 0;

    /// <summary>The manifest's bytes in their one form; their SHA-256 is the image's id.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(WithStatements(new JsonObject
    {
        ["format"] = FormatName,
        ["version"] = Version,
        ["source"] = Source.DeepClone(),
        ["size"] = DecimalText.Format(Size),
        ["started"] = Timestamps.Format(Started),
        ["finished"] = Timestamps.Format(Finished),
        ["examiner"] = Examiner,
        ["tool"] = new JsonObject { ["name"] = Tool.Name, ["version"] = Tool.Version },
        ["options"] = new JsonObject { ["compression"] = VaultSettings.NameOf(Compression), ["holes"] = HolesRead ? "read" : "recorded" },
        ["segments"] = VaultSettings.EncodeSegments(Segments),
        ["map"] = new JsonObject
        {
            ["root"] = Root.ToString(),
            ["pages"] = DecimalText.Format(Pages),
            ["tables"] = new JsonArray([.. Tables.Select(t => (JsonNode)t.ToString())]),
        },
        ["totals"] = new JsonObject(Enum.GetValues<RunKind>().Select(k =>
            KeyValuePair.Create(k.Name(), (JsonNode?)DecimalText.Format(Totals.GetValueOrDefault(k))))),
        ["absent"] = new JsonArray([.. Absent.Select(r => new JsonObject
        {
            ["kind"] = r.Kind.Name(),
            ["offset"] = DecimalText.Format(r.Offset),
            ["length"] = DecimalText.Format(r.Length),
            ["reason"] = r.Reason,
        })]),
        ["continues"] = Continues?.ToString(),
        ["runs"] = new JsonArray([.. Runs.Select(r => new JsonObject
        {
            ["started"] = Timestamps.Format(r.Started),
            ["held"] = DecimalText.Format(r.Held),
        })]),
        ["differences"] = new JsonArray([.. Differences.Select(d => new JsonObject
        {
            ["what"] = d.What,
            ["offset"] = DecimalText.Format(d.Offset),
            ["length"] = DecimalText.Format(d.Length),
        })]),
        ["digests"] = new JsonArray([.. Digests.Select(d => new JsonObject
        {
            ["algorithm"] = d.Algorithm.Name(),
            ["value"] = d.Value,
            ["scope"] = EncodeScope(Size),
        })]),
    }));

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="FormatException">It is not in the one valid form, or contradicts itself; the message says where.</exception>
    internal static ImageManifest Decode(ReadOnlySpan<byte> bytes)
    {
        JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The manifest");
        if (!string.Equals(json.RequireString("format"), FormatName, StringComparison.Ordinal) || json.RequireInteger("version") != Version)
            throw new FormatException($"It is '{json.RequireString("format")}' version {json.RequireInteger("version")}, not {FormatName} {Version}.");
        JsonObject map = json.RequireObject("map");
        JsonObject options = json.RequireObject("options");
        JsonObject tool = json.RequireObject("tool");
        JsonObject totals = json.RequireObject("totals");
        JsonObject source = json.RequireObject("source");
        if (source.RequireString("kind") is not ("file" or "split" or "device" or "stream" or "ewf" or "nbd" or "virtual-disk"))
            throw new FormatException($"A source cannot be a '{source.RequireString("kind")}'.");
        _ = source.RequireString("name");
        long size = json.RequireDecimal("size");
        var manifest = new ImageManifest
        {
            Source = source,
            Size = size,
            Started = json.RequireInstant("started"),
            Finished = json.RequireInstant("finished"),
            Examiner = json.RequireNullableString("examiner"),
            WriteBlocker = json.OptionalString("writeBlocker"),
            Seal = json.OptionalString("seal"),
            Clock = json.ContainsKey("clock") ? ClockSynchronisation.Decode(json.RequireObject("clock")) : null,
            Tool = (tool.RequireString("name"), tool.RequireString("version")),
            Compression = VaultSettings.ParseCompression(options.RequireString("compression")),
            HolesRead = options.RequireString("holes") switch
            {
                "read" => true,
                "recorded" => false,
                var other => throw new FormatException($"Holes cannot be '{other}'."),
            },
            Segments = VaultSettings.DecodeSegments(json.RequireObject("segments")),
            Root = Sha256Digest.Parse(map.RequireDigest("root")),
            Tables = [.. map.RequireStrings("tables").Select(Sha256Digest.Parse)],
            Totals = Enum.GetValues<RunKind>().ToDictionary(k => k, k => totals.RequireDecimal(k.Name())),
            Absent = [.. json.RequireArray("absent").Select(DecodeAbsent)],
            Continues = json.RequireNullableString("continues") is { } continues ? Sha256Digest.Parse(continues) : null,
            Runs = [.. json.RequireArray("runs").Select(DecodeRun)],
            Differences = [.. json.RequireArray("differences").Select(DecodeDifference)],
            Digests = [.. json.RequireArray("digests").Select(d => DecodeDigest(d, size))],
            Container = json.ContainsKey("container") ? ImportedContainer.Decode(json.RequireObject("container")) : null,
        };
        if (map.RequireDecimal("pages") != manifest.Pages || manifest.Tables.Count != (manifest.Pages + PageTable.Capacity - 1) / PageTable.Capacity)
            throw new FormatException($"Its map does not have the pages and tables of an image of {size} bytes.");
        return manifest;
    }

    /// <summary>Adds what is there only where it was stated or told.</summary>
    private JsonObject WithStatements(JsonObject json)
    {
        if (WriteBlocker is not null)
            json["writeBlocker"] = WriteBlocker;
        if (Seal is not null)
            json["seal"] = Seal;
        if (Clock is not null)
            json["clock"] = Clock.Encode();
        if (Container is not null)
            json["container"] = Container.Encode();
        return json;
    }

    private static JsonObject EncodeScope(long size) => new()
    {
        ["offset"] = "0",
        ["length"] = DecimalText.Format(size),
        ["absent"] = "zeros",
        ["tail"] = "included",
    };

    private static AbsentRange DecodeAbsent(JsonNode? node)
    {
        JsonObject json = JsonFields.RequireObject(node, "An absent range");
        RunKind kind = json.RequireString("kind") switch
        {
            "unreadable" => RunKind.Unreadable,
            "unread" => RunKind.Unread,
            var other => throw new FormatException($"An absent range cannot be '{other}'."),
        };
        return new AbsentRange(kind, json.RequireDecimal("offset"), json.RequireDecimal("length"), json.RequireString("reason"));
    }

    private static AcquisitionRun DecodeRun(JsonNode? node)
    {
        JsonObject json = JsonFields.RequireObject(node, "A run");
        return new AcquisitionRun(json.RequireInstant("started"), json.RequireDecimal("held"));
    }

    private static SourceDifference DecodeDifference(JsonNode? node)
    {
        JsonObject json = JsonFields.RequireObject(node, "A difference");
        string what = json.RequireString("what");
        return what is "shorter" or "longer" or "modified" or "content" or "gone"
            ? new SourceDifference(what, json.RequireDecimal("offset"), json.RequireDecimal("length"))
            : throw new FormatException($"A source cannot differ by '{what}'.");
    }

    private static ImageDigest DecodeDigest(JsonNode? node, long size)
    {
        JsonObject json = JsonFields.RequireObject(node, "A digest");
        if (!JsonNode.DeepEquals(json.RequireObject("scope"), EncodeScope(size)))
            throw new FormatException("A digest has a scope that is not the whole image.");
        return DigestAlgorithms.TryParse(json.RequireString("algorithm"), out DigestAlgorithm algorithm)
            ? new ImageDigest(algorithm, json.RequireString("value"))
            : throw new FormatException($"The digest algorithm '{json.RequireString("algorithm")}' is not known.");
    }
}
