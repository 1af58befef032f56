using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>Content that a repair brought back.</summary>
/// <param name="Id">The segment's id, which proved it.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="From">The name of what it came from.</param>
public sealed record RecoveredSegment(Sha256Digest Id, int Length, string From);

/// <summary>What a repair brought content back from.</summary>
/// <param name="Name">Its name: a path.</param>
/// <param name="Kind">What it is: <c>vault</c>, <c>image</c>, <c>set-aside</c>.</param>
/// <param name="Segments">The segments that came from it.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Refused">How often it had something other than what it was asked for, which was not taken.</param>
public sealed record RecoveredFrom(string Name, string Kind, long Segments, long Bytes, long Refused);

/// <summary>A damaged pack that was set aside.</summary>
/// <param name="Pack">Its name.</param>
/// <param name="Records">The records in it that are what their ids say.</param>
/// <param name="Copied">Those of them that no other pack had, and that were copied into new packs.</param>
public sealed record SetAsidePack(Sha256Digest Pack, long Records, long Copied);

/// <summary>What a repair entry says.</summary>
public sealed record RepairOutcome
{
    // A body has less than 16 KiB: the longest lists that there may be of each kind fit together.
    private const int MostSegments = 40;
    private const int MostOrigins = 5;
    private const int MostPacks = 20;
    private const int MostImages = 20;
    private const int LongestName = 100;

    /// <summary>The number of segments that were brought back from elsewhere; map pages and page tables count as such.</summary>
    public required long SegmentCount { get; init; }

    /// <summary>Their bytes.</summary>
    public required long SegmentBytes { get; init; }

    /// <summary>The SHA-256 over the ids of all of them, in ascending order, 32 bytes each.</summary>
    public required Sha256Digest SegmentDigest { get; init; }

    /// <summary>The first of them, in the order in which they came.</summary>
    public required IReadOnlyList<RecoveredSegment> Segments { get; init; }

    /// <summary>Where they came from.</summary>
    public required IReadOnlyList<RecoveredFrom> Origins { get; init; }

    /// <summary>The packs that were set aside.</summary>
    public required IReadOnlyList<SetAsidePack> Packs { get; init; }

    /// <summary>The packs that were written.</summary>
    public required IReadOnlyList<Sha256Digest> NewPacks { get; init; }

    /// <summary>The images whose manifests were restored.</summary>
    public required IReadOnlyList<Sha256Digest> Manifests { get; init; }

    /// <summary>The images that something was missing of, and nothing is now.</summary>
    public required IReadOnlyList<Sha256Digest> WholeAgain { get; init; }

    /// <summary>The images that something is still missing of.</summary>
    public required IReadOnlyList<Sha256Digest> StillDamaged { get; init; }

    /// <summary>The bytes of images that are still missing.</summary>
    public required long MissingBytes { get; init; }

    /// <summary>What people call the images that it concerns.</summary>
    public required IReadOnlyList<string> Items { get; init; }

    internal JsonObject EncodeBody() => new()
    {
        ["segments"] = new JsonObject
        {
            ["count"] = DecimalText.Format(SegmentCount),
            ["bytes"] = DecimalText.Format(SegmentBytes),
            ["digest"] = SegmentDigest.ToString(),
            ["first"] = new JsonArray([.. Segments.Take(MostSegments).Select(s => (JsonNode)s.Id.ToString())]),
        },
        ["from"] = new JsonArray([.. Origins.Where(o => o.Segments + o.Refused > 0).Take(MostOrigins).Select(o => new JsonObject
        {
            ["name"] = End(o.Name),
            ["kind"] = o.Kind,
            ["segments"] = DecimalText.Format(o.Segments),
            ["bytes"] = DecimalText.Format(o.Bytes),
            ["refused"] = DecimalText.Format(o.Refused),
        })]),
        ["setAside"] = new JsonArray([.. Packs.Take(MostPacks).Select(p => new JsonObject
        {
            ["pack"] = p.Pack.ToString(),
            ["records"] = DecimalText.Format(p.Records),
            ["copied"] = DecimalText.Format(p.Copied),
        })]),
        ["setAsideCount"] = DecimalText.Format(Packs.Count),
        ["newPacks"] = Ids(NewPacks, MostPacks),
        ["newPackCount"] = DecimalText.Format(NewPacks.Count),
        ["manifests"] = Ids(Manifests, MostImages),
        ["manifestCount"] = DecimalText.Format(Manifests.Count),
        ["wholeAgain"] = Ids(WholeAgain, MostImages),
        ["wholeAgainCount"] = DecimalText.Format(WholeAgain.Count),
        ["stillDamaged"] = Ids(StillDamaged, MostImages),
        ["stillDamagedCount"] = DecimalText.Format(StillDamaged.Count),
        ["missingBytes"] = DecimalText.Format(MissingBytes),
    };

    /// <summary>The end of a long name, which tells more than its beginning.</summary>
    private static string End(string name)
    {
        if (name.Length <= LongestName)
            return name;
        string end = name[^LongestName..];
        return "…" + (char.IsLowSurrogate(end[0]) ? end[1..] : end);
    }

    private static JsonArray Ids(IReadOnlyList<Sha256Digest> ids, int most) => new([.. ids.Take(most).Select(i => (JsonNode)i.ToString())]);
}
