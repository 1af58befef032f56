using Evidence.Preservation.Statements;

namespace Evidence.Preservation;

/// <summary>A server, and all that the ledger says of it.</summary>
public sealed class Asset
{
    private readonly List<Recorded<AssetDeclaration>> declarations = [];
    private readonly List<Recorded<AssetDeclaration>> claims = [];
    private readonly List<Recorded<AssetStateChange>> states = [];

    internal Asset(string id) => Id = id;

    /// <summary>What it is called in this ledger.</summary>
    public string Id { get; }

    /// <summary>What the firm declared of it, in the log's order. Empty where entries name it that no declaration came before.</summary>
    public IReadOnlyList<Recorded<AssetDeclaration>> Declarations => declarations;

    /// <summary>What others declared of it, who do not speak for the firm: it counts for nothing, or anybody could take a machine's name and serials.</summary>
    public IReadOnlyList<Recorded<AssetDeclaration>> Claims => claims;

    /// <summary>How it stood with it, in the log's order. That it was switched off, or came back, only the firm can say; that it is in use, or was taken away, anybody.</summary>
    public IReadOnlyList<Recorded<AssetStateChange>> States => states;

    /// <summary>What says that it is in service; null where that is not what was said last.</summary>
    public Recorded<AssetStateChange>? InService => states is [.., { Statement.State: AssetState.InService } last] ? last : null;

    /// <summary>
    /// Up to where the machine was in service: what ended that, or what says that it is. Null where it never was said to be. Who was told of it before that, or consented, was told of
    /// other data than are on it now.
    /// </summary>
    public Recorded<AssetStateChange>? LastService =>
        states.FindLastIndex(state => state.Statement.State == AssetState.InService) is >= 0 and var used ? states[Math.Min(used + 1, states.Count - 1)] : null;

    /// <summary>
    /// Up to where the machine may have been written to: it came back from the hands of others, or its service ended, or it is in service. Null where none of that was ever said.
    /// An image from before it is not of what is on the disks now.
    /// </summary>
    public Recorded<AssetStateChange>? LastUse
    {
        get
        {
            Recorded<AssetStateChange>? service = LastService;
            return states.FindLast(state => state == service || state.Statement.State == AssetState.Returned);
        }
    }

    /// <summary>The machine's serials, by its first declaration.</summary>
    public IReadOnlyList<string> Serials => declarations is [var first, ..] ? first.Statement.Serials : [];

    /// <summary>Its disks, of all its declarations, by their ids; each as it was declared first.</summary>
    public IReadOnlyList<AssetDisk> Disks => [.. declarations.SelectMany(declared => declared.Statement.Disks).DistinctBy(disk => disk.Id, StringComparer.Ordinal)];

    /// <summary>Where it stands, as was said last.</summary>
    public string? Rack => declarations.FindLast(declared => declared.Statement.Rack is not null)?.Statement.Rack;

    /// <summary>The parties that have a say in it, of all its declarations.</summary>
    public IReadOnlyList<string> Parties => [.. declarations.SelectMany(declared => declared.Statement.Parties).Distinct(StringComparer.Ordinal)];

    /// <summary>The entries that declare other serials, or another disk of the same id, under this name; empty where it is one asset.</summary>
    public IReadOnlyList<Recorded<AssetDeclaration>> Conflicts =>
    [
        .. declarations.Skip(1).Where(later =>
            !later.Statement.Serials.Order(StringComparer.Ordinal).SequenceEqual(Serials.Order(StringComparer.Ordinal), StringComparer.Ordinal) ||
            later.Statement.Disks.Any(disk => Disks.First(known => known.Id == disk.Id) != disk)),
    ];

    /// <summary>The holds over it.</summary>
    public IReadOnlyList<Recorded<HoldStatement>> Holds => holds;

    /// <summary>The notices about it.</summary>
    public IReadOnlyList<Recorded<NoticeStatement>> Notices => notices;

    /// <summary>What parties answered, or said unasked, about it.</summary>
    public IReadOnlyList<Recorded<ResponseStatement>> Responses => responses;

    /// <summary>What lets it go of holds, and overrules objections.</summary>
    public IReadOnlyList<Recorded<ReleaseStatement>> Releases => releases;

    /// <summary>The requests to wipe it.</summary>
    public IReadOnlyList<Recorded<ClearanceRequest>> Requests => requests;

    /// <summary>The clearances that were granted for it.</summary>
    public IReadOnlyList<Recorded<ClearanceGrant>> Grants => grants;

    /// <summary>What was said of wipes of it.</summary>
    public IReadOnlyList<Recorded<WipeStatement>> Wipes => wipes;

    /// <summary>The report of the wipe that was done; null where none was.</summary>
    public Recorded<WipeStatement>? Wiped => wipes.Find(wipe => wipe.Statement is WipeReport && wipes.Exists(begun => begun.Statement is WipeIntent && EndsIt(begun, wipe)));

    /// <summary>The wipe that was begun, and of which nothing more is said; null where there is none.</summary>
    public Recorded<WipeStatement>? OpenIntent => wipes.Find(wipe => wipe.Statement is WipeIntent && !wipes.Exists(later => EndsIt(wipe, later)));

    /// <summary>Whether an entry says what came of a wipe, and may: whoever began it says so, or the firm.</summary>
    private static bool EndsIt(Recorded<WipeStatement> begun, Recorded<WipeStatement> later) =>
        later.Entry > begun.Entry && (later.IsOfFirm || later.Signer.KeyId == begun.Signer.KeyId) && later.Statement switch
        {
            WipeReport report => report.Intent == begun.LeafHash,
            WipeAbandonment abandoned => abandoned.Intent == begun.LeafHash,
            _ => false,
        };

    private readonly List<Recorded<HoldStatement>> holds = [];
    private readonly List<Recorded<NoticeStatement>> notices = [];
    private readonly List<Recorded<ResponseStatement>> responses = [];
    private readonly List<Recorded<ReleaseStatement>> releases = [];
    private readonly List<Recorded<ClearanceRequest>> requests = [];
    private readonly List<Recorded<ClearanceGrant>> grants = [];
    private readonly List<Recorded<WipeStatement>> wipes = [];

    /// <summary>Takes in a statement that is about this asset.</summary>
    internal void Add(IRecorded recorded)
    {
        switch (recorded)
        {
            case Recorded<AssetDeclaration> declaration: (declaration.IsOfFirm ? declarations : claims).Add(declaration); break;
            case Recorded<AssetStateChange> { IsOfFirm: false, Statement.State: AssetState.Isolated or AssetState.Returned }: break;
            case Recorded<AssetStateChange> state: states.Add(state); break;
            case Recorded<HoldStatement> hold: holds.Add(hold); break;
            case Recorded<NoticeStatement> notice: notices.Add(notice); break;
            case Recorded<ResponseStatement> response: responses.Add(response); break;
            case Recorded<ReleaseStatement> release: releases.Add(release); break;
            case Recorded<ClearanceRequest> request: requests.Add(request); break;
            case Recorded<ClearanceGrant> grant: grants.Add(grant); break;
            case Recorded<WipeStatement> wipe: wipes.Add(wipe); break;
            default: throw new ArgumentException($"A statement of {recorded.GetType()} is about no asset.", nameof(recorded));
        }
    }
}
