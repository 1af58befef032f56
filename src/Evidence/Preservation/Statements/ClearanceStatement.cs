using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation.Statements;

/// <summary>What a <see cref="EntryKind.Clearance"/> entry says: somebody asks that assets may be wiped, others approve, and the gate opens for one of them.</summary>
public abstract record ClearanceStatement : Statement
{
    private protected ClearanceStatement()
    {
    }

    /// <inheritdoc/>
    public override string Kind => EntryKind.Clearance;

    internal static ClearanceStatement Read(JsonObject body) => body.RequireString("act") switch
    {
        ClearanceRequest.Act => ClearanceRequest.Parse(body),
        Approval.Act => Approval.Parse(body),
        ClearanceGrant.Act => ClearanceGrant.Parse(body),
        var act => throw new FormatException($"An act '{act}' of a clearance is not known."),
    };
}

/// <summary>Asks that assets may be wiped.</summary>
/// <param name="List">All assets of it.</param>
/// <param name="Words">Why; null where nothing is said.</param>
public sealed record ClearanceRequest(AssetList List, string? Words) : ClearanceStatement
{
    internal const string Act = "request";

    internal override AssetList? Whole => List;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new() { ["act"] = Act, ["list"] = List.ToJson(), ["text"] = Words };

    internal static ClearanceRequest Parse(JsonObject body)
    {
        body.RequireOnly("act", "list", "text");
        return new ClearanceRequest(AssetList.Read(body.RequireObject("list")), body.RequireNullableString("text"));
    }
}

/// <summary>Approves a request, or a change of policy. Whoever asked for it cannot.</summary>
/// <param name="Target">The leaf hash of the entry that is approved.</param>
/// <param name="Words">What else there is to say; null for nothing.</param>
public sealed record Approval(Sha256Digest Target, string? Words) : ClearanceStatement
{
    internal const string Act = "approval";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new() { ["act"] = Act, ["target"] = Target.ToString(), ["text"] = Words };

    internal static Approval Parse(JsonObject body)
    {
        body.RequireOnly("act", "target", "text");
        return new Approval(RequireDigest(body, "target"), body.RequireNullableString("text"));
    }
}

/// <summary>By what an asset may be wiped.</summary>
public enum ClearanceGround
{
    /// <summary>All that was on it is preserved.</summary>
    Preserved,

    /// <summary>Everyone with a say was told, and let the time run out.</summary>
    Silence,
}

/// <summary>
/// The gate's clearance for one asset, by its serials. It is worth what the gate says at the instant of wiping, once, and only until it expires.
/// </summary>
/// <param name="Asset">The asset.</param>
/// <param name="Serials">The machine's serials.</param>
/// <param name="Disks">Its disks.</param>
/// <param name="Size">How many entries of the ledger the gate had seen.</param>
/// <param name="Root">The root over those.</param>
/// <param name="Policy">The SHA-256 of the policy.</param>
/// <param name="At">The instant that the gate was asked for.</param>
/// <param name="Expires">From when on it is worth nothing.</param>
/// <param name="Ground">By what.</param>
/// <param name="Request">The leaf hash of the request; null where the policy asks for no approval, and nobody requested it.</param>
public sealed record ClearanceGrant(
    string Asset, IReadOnlyList<string> Serials, IReadOnlyList<AssetDisk> Disks, long Size, Sha256Digest Root, Sha256Digest Policy, Instant At, Instant Expires,
    ClearanceGround Ground, Sha256Digest? Request) : ClearanceStatement
{
    internal const string Act = "grant";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["asset"] = Asset,
        ["serials"] = Strings(Serials),
        ["disks"] = new JsonArray([.. Disks.Select(disk => disk.ToJson())]),
        ["size"] = DecimalText.Format(Size),
        ["root"] = Root.ToString(),
        ["policy"] = Policy.ToString(),
        ["at"] = Text(At),
        ["expires"] = Text(Expires),
        ["ground"] = NameOf(Ground),
        ["request"] = Request?.ToString(),
    };

    /// <summary>The name of a ground, as entries have it.</summary>
    public static string NameOf(ClearanceGround ground) => ground switch
    {
        ClearanceGround.Preserved => "preserved",
        ClearanceGround.Silence => "silence",
        _ => throw new ArgumentOutOfRangeException(nameof(ground), ground, "This is no ground."),
    };

    internal static ClearanceGrant Parse(JsonObject body)
    {
        body.RequireOnly("act", "asset", "serials", "disks", "size", "root", "policy", "at", "expires", "ground", "request");
        return new ClearanceGrant(
            RequireName(body, "asset"), body.RequireStrings("serials"),
            [.. body.RequireArray("disks").Select(disk => AssetDisk.Read(JsonFields.RequireObject(disk, "A disk of the asset")))],
            body.RequireDecimal("size"), RequireDigest(body, "root"), RequireDigest(body, "policy"), body.RequireInstant("at"), body.RequireInstant("expires"),
            body.RequireString("ground") switch
            {
                "preserved" => ClearanceGround.Preserved,
                "silence" => ClearanceGround.Silence,
                var ground => throw new FormatException($"'{ground}' is no ground of a clearance: preserved, silence."),
            },
            RequireNullableDigest(body, "request"));
    }
}
