using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Segments;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>What a vault is, fixed when it is made: the content of <c>vault.json</c> (<c>docs/format/vault.md</c>).</summary>
public sealed record VaultSettings
{
    /// <summary>The version of the layout that this software writes, and the highest that it reads.</summary>
    public const int Version = 1;

    private const string FormatName = "evidence-vault";
    private const string CutRule = "sector-xxh3";

    /// <summary>128 random bits in hexadecimal: names the vault in caches outside it.</summary>
    public required string Id { get; init; }

    /// <summary>The ledger's origin: the vault's own identifier, as a URL without a scheme.</summary>
    public required string Origin { get; init; }

    /// <summary>How content is cut.</summary>
    public required SegmentParameters Segments { get; init; }

    /// <summary>How hard writers try to make segments smaller, unless they are told otherwise.</summary>
    public required Compression Compression { get; init; }

    /// <summary>The claimed instant of making.</summary>
    public required Instant Created { get; init; }

    /// <summary>Features that a reader may ignore, by name.</summary>
    public IReadOnlyList<string> OptionalFeatures { get; init; } = [];

    /// <summary>Settings for a new vault.</summary>
    /// <param name="origin">The ledger's origin; null for one made from the machine's name and the vault's id.</param>
    /// <param name="segments">How content is cut; null for the default.</param>
    /// <param name="compression">The default for writers.</param>
    /// <param name="clock">Where the claimed instant comes from.</param>
    /// <exception cref="EvidenceException">The origin is not one (<see cref="ErrorCode.Usage"/>).</exception>
    public static VaultSettings CreateNew(
        string? origin = null, SegmentParameters? segments = null, Compression compression = Compression.Fast, IClock? clock = null)
    {
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        origin ??= $"{HostName()}/evidence/{id[..8]}";
        if (origin.Length is 0 or > 255 || origin.Contains('+', StringComparison.Ordinal) || origin.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)))
        {
            throw new EvidenceException(
                ErrorCode.Usage, $"'{origin}' cannot be an origin: it needs 1 to 255 characters, no space and no '+'. Example: lab.example/vault-7");
        }

        return new VaultSettings
        {
            Id = id,
            Origin = origin,
            Segments = segments ?? SegmentParameters.Default,
            Compression = compression,
            Created = (clock ?? SystemClock.Instance).GetCurrentInstant(),
        };
    }

    internal byte[] Encode() => CanonicalJson.Serialize(new JsonObject
    {
        ["format"] = FormatName,
        ["version"] = Version,
        ["id"] = Id,
        ["origin"] = Origin,
        ["segments"] = EncodeSegments(Segments),
        ["compression"] = NameOf(Compression),
        ["created"] = Timestamps.Format(Created),
        ["features"] = new JsonObject
        {
            ["required"] = new JsonArray(),
            ["optional"] = new JsonArray([.. OptionalFeatures.Select(f => (JsonNode)f)]),
        },
    });

    /// <summary>Reads the settings and refuses what this software cannot know the meaning of.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="path">Its name, for messages.</param>
    internal static VaultSettings Decode(ReadOnlySpan<byte> bytes, string path)
    {
        try
        {
            JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The file");
            if (!string.Equals(json.RequireString("format"), FormatName, StringComparison.Ordinal))
                throw new FormatException($"Its format is '{json.RequireString("format")}'.");
            if (json.RequireInteger("version") > Version)
                throw TooNew(path, $"has version {json.RequireInteger("version")}; this software reads version {Version}");
            JsonObject features = json.RequireObject("features");
            if (features.RequireStrings("required") is [var unknown, ..])
                throw TooNew(path, $"needs the feature '{unknown}', which this software does not know");
            return new VaultSettings
            {
                Id = DecodeId(json.RequireString("id")),
                Origin = json.RequireString("origin"),
                Segments = DecodeSegments(json.RequireObject("segments")),
                Compression = ParseCompression(json.RequireString("compression")),
                Created = json.RequireInstant("created"),
                OptionalFeatures = features.RequireStrings("optional"),
            };
        }
        catch (FormatException e)
        {
            throw new EvidenceException(
                ErrorCode.VaultInvalid,
                $"{path} is not the settings of a vault: {e.Message} If this is a vault, the file is damaged: take it from a copy of the vault.", e);
        }
    }

    /// <summary>The id is the name of a folder in the user's cache, so whoever made the vault must not choose a path with it.</summary>
    private static string DecodeId(string id) =>
        id.Length == 32 && id.All(char.IsAsciiHexDigitLower) ? id : throw new FormatException($"'{id}' is not 32 hexadecimal digits.");

    internal static JsonObject EncodeSegments(SegmentParameters segments) =>
        new() { ["rule"] = CutRule, ["average"] = DecimalText.Format(segments.AverageLength) };

    internal static SegmentParameters DecodeSegments(JsonObject json)
    {
        if (!string.Equals(json.RequireString("rule"), CutRule, StringComparison.Ordinal))
            throw new FormatException($"The rule of cutting '{json.RequireString("rule")}' is not known.");
        long average = json.RequireDecimal("average");
        return SegmentParameters.IsPossible(average)
            ? SegmentParameters.ForAverage(average)
            : throw new FormatException($"A segment average of {average} is not possible.");
    }

    internal static string NameOf(Compression compression) => compression switch
    {
        Compression.None => "none",
        Compression.Fast => "fast",
        Compression.Best => "best",
        _ => throw new ArgumentOutOfRangeException(nameof(compression)),
    };

    internal static Compression ParseCompression(string name) => name switch
    {
        "none" => Compression.None,
        "fast" => Compression.Fast,
        "best" => Compression.Best,
        _ => throw new FormatException($"'{name}' is no compression: none, fast or best."),
    };

    private static EvidenceException TooNew(string path, string what) =>
        new(ErrorCode.VaultTooNew, $"{path} {what}. Use the version that wrote the vault, or a newer one.");

    private static string HostName()
    {
        var name = new string([.. Environment.MachineName.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')]);
        return name.Length == 0 ? "localhost" : name;
    }
}
