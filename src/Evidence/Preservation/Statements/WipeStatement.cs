using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>What a <see cref="EntryKind.Wipe"/> entry says: that a wipe begins, and what came of it.</summary>
public abstract record WipeStatement : Statement
{
    private protected WipeStatement()
    {
    }

    /// <inheritdoc/>
    public override string Kind => EntryKind.Wipe;

    internal static WipeStatement Read(JsonObject body) => body.RequireString("act") switch
    {
        WipeIntent.Act => WipeIntent.Parse(body),
        WipeReport.Act => WipeReport.Parse(body),
        WipeAbandonment.Act => WipeAbandonment.Parse(body),
        var act => throw new FormatException($"An act '{act}' of a wipe is not known."),
    };
}

/// <summary>Says that a wipe begins now: the clearance is used up by it. The gate was asked once more, over the ledger as it was then.</summary>
/// <param name="Clearance">The leaf hash of the clearance's entry.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Size">How many entries of the ledger the gate had seen.</param>
/// <param name="Root">The root over those.</param>
public sealed record WipeIntent(Sha256Digest Clearance, string Asset, long Size, Sha256Digest Root) : WipeStatement
{
    internal const string Act = "intent";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["clearance"] = Clearance.ToString(),
        ["asset"] = Asset,
        ["size"] = DecimalText.Format(Size),
        ["root"] = Root.ToString(),
    };

    internal static WipeIntent Parse(JsonObject body)
    {
        body.RequireOnly("act", "clearance", "asset", "size", "root");
        return new WipeIntent(RequireDigest(body, "clearance"), RequireName(body, "asset"), body.RequireDecimal("size"), RequireDigest(body, "root"));
    }
}

/// <summary>What a sample of a wiped disk held when it was read back.</summary>
/// <param name="Disk">The disk.</param>
/// <param name="Size">Its size in bytes, as its system says.</param>
/// <param name="Sectors">How many places were read.</param>
/// <param name="SectorSize">How many bytes at each.</param>
/// <param name="Blank">How many of them held one repeated byte.</param>
/// <param name="Unreadable">How many could not be read.</param>
/// <param name="Digest">The SHA-256 over what was read, in the order of the places.</param>
/// <param name="Direct">Whether it was read past the page cache, and so from the disk itself.</param>
public sealed record ReadBackSample(string Disk, long Size, int Sectors, int SectorSize, int Blank, int Unreadable, Sha256Digest Digest, bool Direct)
{
    /// <summary>It as a member of an entry's body.</summary>
    public JsonObject ToJson() => new()
    {
        ["disk"] = Disk,
        ["size"] = DecimalText.Format(Size),
        ["sectors"] = Sectors,
        ["sectorSize"] = SectorSize,
        ["blank"] = Blank,
        ["unreadable"] = Unreadable,
        ["digest"] = Digest.ToString(),
        ["direct"] = Direct,
    };

    internal static ReadBackSample Read(JsonObject sample)
    {
        sample.RequireOnly("disk", "size", "sectors", "sectorSize", "blank", "unreadable", "digest", "direct");
        return new ReadBackSample(
            sample.RequireString("disk"), sample.RequireDecimal("size"), (int)sample.RequireInteger("sectors"), (int)sample.RequireInteger("sectorSize"),
            (int)sample.RequireInteger("blank"), (int)sample.RequireInteger("unreadable"), Sha256Digest.Parse(sample.RequireDigest("digest")),
            sample.RequireBoolean("direct"));
    }
}

/// <summary>What was done: closes the asset's story.</summary>
/// <param name="Intent">The leaf hash of the intent's entry.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Method">What was done: overwritten, secure erase, degaussed, destroyed.</param>
/// <param name="Standard">By what standard: <c>NIST SP 800-88r1 Purge</c>, say; null for none.</param>
/// <param name="Serials">The serials of the disks that it was done to, as they were read from them.</param>
/// <param name="Operator">Who did it, as the firm calls them.</param>
/// <param name="ReadBack">What was read back afterwards; empty where nothing was.</param>
/// <param name="Document">The SHA-256 of the tool's log or certificate; null where there is none.</param>
/// <param name="Words">What else there is to say; null for nothing.</param>
public sealed record WipeReport(
    Sha256Digest Intent, string Asset, string Method, string? Standard, IReadOnlyList<string> Serials, string Operator, IReadOnlyList<ReadBackSample> ReadBack,
    Sha256Digest? Document, string? Words) : WipeStatement
{
    internal const string Act = "done";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["intent"] = Intent.ToString(),
        ["asset"] = Asset,
        ["method"] = Method,
        ["standard"] = Standard,
        ["serials"] = Strings(Serials),
        ["operator"] = Operator,
        ["readBack"] = new JsonArray([.. ReadBack.Select(sample => sample.ToJson())]),
        ["document"] = Document?.ToString(),
        ["text"] = Words,
    };

    internal static WipeReport Parse(JsonObject body)
    {
        body.RequireOnly("act", "intent", "asset", "method", "standard", "serials", "operator", "readBack", "document", "text");
        return new WipeReport(
            RequireDigest(body, "intent"), RequireName(body, "asset"), body.RequireString("method"), body.RequireNullableString("standard"), body.RequireStrings("serials"),
            body.RequireString("operator"),
            [.. body.RequireArray("readBack").Select(sample => ReadBackSample.Read(JsonFields.RequireObject(sample, "A sample of the disk")))],
            RequireNullableDigest(body, "document"), body.RequireNullableString("text"));
    }
}

/// <summary>Says that a wipe that was begun was not done. The clearance stays used up.</summary>
/// <param name="Intent">The leaf hash of the intent's entry.</param>
/// <param name="Asset">The asset.</param>
/// <param name="Words">Why.</param>
public sealed record WipeAbandonment(Sha256Digest Intent, string Asset, string Words) : WipeStatement
{
    internal const string Act = "abandoned";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new() { ["act"] = Act, ["intent"] = Intent.ToString(), ["asset"] = Asset, ["text"] = Words };

    internal static WipeAbandonment Parse(JsonObject body)
    {
        body.RequireOnly("act", "intent", "asset", "text");
        return new WipeAbandonment(RequireDigest(body, "intent"), RequireName(body, "asset"), body.RequireString("text"));
    }
}
