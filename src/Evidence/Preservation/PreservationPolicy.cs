using System.Text;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// By which rules a server may be wiped: a small YAML document, whose digest is in the ledger, as is every change of it. Every rule is documented in <c>docs/policy.md</c>,
/// with its reason. It is the firm's own; that it is a good one, the parties judge who read it.
/// </summary>
public sealed record PreservationPolicy
{
    /// <summary>The longest policy that is read, in bytes.</summary>
    public const int MaximumLength = 1 << 16;

    private static readonly Lazy<PreservationPolicy> TheDefault = new(() => Parse(DefaultDocument.Span));

    /// <summary>The SHA-256 of its document.</summary>
    public required Sha256Digest Digest { get; init; }

    /// <summary>What it calls itself.</summary>
    public required string Name { get; init; }

    /// <summary>Whose word of the time counts.</summary>
    public required TimeRules Time { get; init; }

    /// <summary>How long holds bind.</summary>
    public required HoldRules Holds { get; init; }

    /// <summary>What counts as preserved.</summary>
    public required PreservedRules Preserved { get; init; }

    /// <summary>Who is told, how often, and how long they have.</summary>
    public required NoticeRules Notices { get; init; }

    /// <summary>Whose objection blocks.</summary>
    public required ObjectionRules Objections { get; init; }

    /// <summary>Who must approve.</summary>
    public required ApprovalRules Approvals { get; init; }

    /// <summary>How long nothing is wiped after a hold was released, or an objection withdrawn.</summary>
    public required Duration CoolingOff { get; init; }

    /// <summary>What a clearance is worth.</summary>
    public required ClearanceRules Clearance { get; init; }

    /// <summary>Which roles may release what parties of which roles placed; besides those who placed it.</summary>
    public required IReadOnlyDictionary<PartyRole, IReadOnlyList<PartyRole>> Superiors { get; init; }

    /// <summary>How another policy takes its place.</summary>
    public required ChangeRules Changes { get; init; }

    /// <summary>The default. It names no time-stamp authority and nobody who may approve, for these are the firm's own: until they are filled in, nothing is cleared by it.</summary>
    public static PreservationPolicy Default => TheDefault.Value;

    /// <summary>The default's document, with comments.</summary>
    public static ReadOnlyMemory<byte> DefaultDocument { get; } = ReadDefault();

    /// <summary>
    /// What must be filled in before anything could be cleared by it, and before it could be changed: one sentence for each. Such a policy is a template; to put it in force
    /// would lead nowhere, not even back.
    /// </summary>
    public IReadOnlyList<string> Lacking =>
    [
        .. Time.Authorities.Count > 0 ? (string[])[] : ["It names no time-stamp authority (time.authorities), so that no time is proved."],
        .. Approvals.By.Count > 0 ? (string[])[] : ["It names nobody who may approve (approvals.by)."],
    ];

    /// <summary>Reads a policy.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static PreservationPolicy Parse(ReadOnlySpan<byte> bytes) => PolicyReader.Read(bytes);

    /// <summary>Reads a policy's file.</summary>
    /// <exception cref="EvidenceException">There is none, or it cannot be read (<see cref="ErrorCode.PolicyInvalid"/>).</exception>
    public static PreservationPolicy Load(string path)
    {
        try
        {
            return Parse(SmallFile.Read(path, MaximumLength));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"{path} is no policy: {e.Message}", e);
        }
    }

    /// <summary>Writes the default with what it lacks.</summary>
    /// <param name="name">What it is to be called: one line without quotes and control characters.</param>
    /// <param name="authorities">The SHA-256 of the certificates of the time-stamp authorities that are trusted.</param>
    /// <param name="approvers">The ids of the keys of those who may approve.</param>
    /// <returns>The document.</returns>
    /// <exception cref="EvidenceException">The policy would be none (<see cref="ErrorCode.PolicyInvalid"/>): there are too few approvers, say.</exception>
    public static ReadOnlyMemory<byte> FillIn(string name, IReadOnlyCollection<Sha256Digest> authorities, IReadOnlyCollection<string> approvers)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(authorities);
        ArgumentNullException.ThrowIfNull(approvers);
        if (name.Contains('"', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal) || name.Any(char.IsControl))
            throw new EvidenceException(ErrorCode.PolicyInvalid, "A policy's name is one line without quotes and backslashes.");
        if (approvers.FirstOrDefault(key => !ActorKey.IsKeyId(key)) is { } wrong)
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"'{wrong}' is no key id: sha256: and 64 digits, as 'evidence identity show' tells.");
        string text = Encoding.UTF8.GetString(DefaultDocument.Span)
            .Replace($"name: {Default.Name}\n", $"name: \"{name}\"\n", StringComparison.Ordinal)
            .Replace("authorities: []\n", $"authorities: [{string.Join(", ", authorities)}]\n", StringComparison.Ordinal)
            .Replace("by: []\n", $"by: [{string.Join(", ", approvers.Select(key => $"\"{key}\""))}]\n", StringComparison.Ordinal);
        byte[] document = Encoding.UTF8.GetBytes(text);
        try
        {
            _ = Parse(document);
            return document;
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"The default cannot be filled in so: {e.Message}", e);
        }
    }

    private static byte[] ReadDefault()
    {
        using Stream resource = typeof(PreservationPolicy).Assembly.GetManifestResourceStream("Evidence.Preservation.default-policy.yaml")!;
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}
