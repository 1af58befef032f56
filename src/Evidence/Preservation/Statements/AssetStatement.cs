using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>What an <see cref="EntryKind.Asset"/> entry says: what a server is, or how it stands with it.</summary>
/// <param name="Asset">What the asset is called in this ledger.</param>
public abstract record AssetStatement(string Asset) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Asset;

    internal static AssetStatement Read(JsonObject body) => body.RequireString("act") switch
    {
        AssetDeclaration.Act => AssetDeclaration.Parse(body),
        AssetStateChange.Act => AssetStateChange.Parse(body),
        var act => throw new FormatException($"An act '{act}' of an asset is not known."),
    };
}

/// <summary>
/// Says what an asset is. A later declaration of the same asset can add disks and parties, and take none away; one with other serials is another asset of the same name, and
/// nothing is cleared under that name.
/// </summary>
/// <param name="Asset">What it is called.</param>
/// <param name="Serials">The serial numbers on the machine.</param>
/// <param name="Disks">Its disks.</param>
/// <param name="Rack">Where it stands; null where nothing is said.</param>
/// <param name="Parties">Who has a say in it.</param>
public sealed record AssetDeclaration(
    string Asset, IReadOnlyList<string> Serials, IReadOnlyList<AssetDisk> Disks, string? Rack, IReadOnlyList<string> Parties) : AssetStatement(Asset)
{
    internal const string Act = "declare";

    /// <summary>The serials on the machine, and those of its disks as far as they are known, each once.</summary>
    internal IEnumerable<string> AllSerials => Serials.Concat(Disks.Select(disk => disk.Serial).OfType<string>()).Distinct(StringComparer.Ordinal);

    /// <summary>
    /// What two serials have in common that are one, however they were typed: letters and digits, in upper case. It is for finding a machine's other names, and not for telling which
    /// machine is at hand.
    /// </summary>
    internal static string SerialKey(string serial) =>
        string.Concat(serial.Where(char.IsLetterOrDigit)).ToUpperInvariant() is { Length: > 0 } key ? key : serial;

    /// <summary>The most serials, disks and parties of one declaration, each.</summary>
    public const int MostListed = 64;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["asset"] = Asset,
        ["serials"] = Strings(Serials),
        ["disks"] = new JsonArray([.. Disks.Select(disk => disk.ToJson())]),
        ["rack"] = Rack,
        ["parties"] = Strings(Parties),
    };

    internal static AssetDeclaration Parse(JsonObject body)
    {
        body.RequireOnly("act", "asset", "serials", "disks", "rack", "parties");
        return new AssetDeclaration(
            RequireName(body, "asset"), Names(body, "serials"),
            [.. body.RequireArray("disks").Select(disk => AssetDisk.Read(JsonFields.RequireObject(disk, "A disk of the asset")))],
            RequireNullableName(body, "rack"), Names(body, "parties"));
    }

    private static IReadOnlyList<string> Names(JsonObject body, string field) =>
        body.RequireStrings(field) is var names && names.All(IsName) && names.Count <= MostListed && names.Distinct(StringComparer.Ordinal).Count() == names.Count
            ? names
            : throw new FormatException($"The field '{field}' has one that is no name, one twice, or more than {MostListed}.");
}

/// <summary>A disk of an asset.</summary>
/// <param name="Id">The item that it is imaged as.</param>
/// <param name="Serial">Its serial number; null where it is not known.</param>
/// <param name="Size">Its size in bytes; null where it is not known.</param>
public sealed record AssetDisk(string Id, string? Serial, long? Size)
{
    private const string SerialField = "serial=";
    private const string SizeField = "size=";

    /// <summary>Reads a disk as people write it: its id, then <c>,serial=S</c> and <c>,size=BYTES</c> where these are known.</summary>
    /// <exception cref="FormatException">It is anything else.</exception>
    public static AssetDisk ParseText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        string? serial = null;
        long? size = null;
        foreach (string part in parts[1..])
        {
            if (serial is null && part.StartsWith(SerialField, StringComparison.Ordinal) && IsNamed(part[SerialField.Length..]))
                serial = part[SerialField.Length..];
            else if (size is null && part.StartsWith(SizeField, StringComparison.Ordinal) && DecimalText.TryParse(part.AsSpan(SizeField.Length), out long bytes))
                size = bytes;
            else
                throw Wrong(text);
        }

        return IsNamed(parts[0]) ? new AssetDisk(parts[0], serial, size) : throw Wrong(text);
    }

    private static bool IsNamed(string text) => Statement.IsName(text);

    private static FormatException Wrong(string text) => new($"'{text}' is no disk: write its id, and behind it what is known, as in server-7/sda,serial=WX31A,size=500107862016.");

    internal JsonObject ToJson() => new() { ["id"] = Id, ["serial"] = Serial, ["size"] = Size is { } size ? DecimalText.Format(size) : null };

    internal static AssetDisk Read(JsonObject disk)
    {
        disk.RequireOnly("id", "serial", "size");
        string id = disk.RequireString("id");
        return Statement.IsName(id)
            ? new AssetDisk(id, disk.RequireNullableString("serial"), disk.RequireNullableString("size") is null ? null : disk.RequireDecimal("size"))
            : throw new FormatException("The field 'id' is no name.");
    }
}

/// <summary>How it stands with an asset, as far as people say it. What follows from other entries (preserved, cleared, wiped) is not said, but told from those.</summary>
public enum AssetState
{
    /// <summary>It runs.</summary>
    InService,

    /// <summary>It is switched off, or cut off, and left as it is.</summary>
    Isolated,

    /// <summary>An authority took it away.</summary>
    Seized,

    /// <summary>It came back, or went back to its owner.</summary>
    Returned,
}

/// <summary>Says how it stands with an asset from here on.</summary>
/// <param name="Asset">What the asset is called.</param>
/// <param name="State">How it stands.</param>
/// <param name="Words">What else there is to say; null for nothing.</param>
/// <param name="Document">The SHA-256 of a paper about it; null where there is none.</param>
public sealed record AssetStateChange(string Asset, AssetState State, string? Words, Sha256Digest? Document) : AssetStatement(Asset)
{
    internal const string Act = "state";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["asset"] = Asset,
        ["state"] = NameOf(State),
        ["text"] = Words,
        ["document"] = Document?.ToString(),
    };

    /// <summary>The name of a state, as entries have it.</summary>
    public static string NameOf(AssetState state) => state switch
    {
        AssetState.InService => "in-service",
        AssetState.Isolated => "isolated",
        AssetState.Seized => "seized",
        AssetState.Returned => "returned",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "This is no state."),
    };

    /// <summary>The state of a name.</summary>
    /// <exception cref="FormatException">There is no such state.</exception>
    public static AssetState ParseState(string name) =>
        Enum.GetValues<AssetState>().Cast<AssetState?>().FirstOrDefault(state => NameOf(state!.Value) == name) ??
        throw new FormatException($"'{name}' is no state of an asset: {string.Join(", ", Enum.GetValues<AssetState>().Select(NameOf))}.");

    internal static AssetStateChange Parse(JsonObject body)
    {
        body.RequireOnly("act", "asset", "state", "text", "document");
        return new AssetStateChange(
            RequireName(body, "asset"), ParseState(body.RequireString("state")), body.RequireNullableString("text"), RequireNullableDigest(body, "document"));
    }
}
