using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ResponseCommand
{
    private static readonly Argument<string?> NoticeFile = new("NOTICE")
    {
        Description = "The notice's file, on the party's own machine; with --output.",
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<long?> Notice = new("--notice") { Description = "The notice that it answers, by its entry.", HelpName = "ENTRY", CustomParser = r => Options.Entry(r) };

    private static readonly Option<string?> Assets = new("--assets") { Description = $"Which assets; without it, all those of the notice: {DocketOptions.SelectorWords}", HelpName = "SELECTOR" };

    private static readonly Option<string?> Output = new("--output") { Description = "The file to carry back. One that is there is not overwritten.", HelpName = "FILE" };

    private static readonly Option<string> Image = new("--image") { Description = "The image that is taken as it is: sha256: and its 64 digits, or, in the vault, what names it.", HelpName = "IMAGE", Required = true };

    internal static Command Build() => new(
        "response",
        """
        What parties answer. With the party's own key, on a machine of its own, from the notice's file; or recorded here from a letter, which is then the paper that shows it.

        Examples:
          evidence response object notice-42.file --party counsel --output answer.file     on counsel's own machine
          evidence response take answer.file                                               where the ledger is
          evidence response consent --party customer --notice 42 --document letter.pdf     from a letter
          evidence response withdraw --party counsel --assets all --document letter.pdf
        """)
    {
        Respond("acknowledge", "Says that the party has the notice, and nothing for or against.", ResponseAct.Acknowledgement),
        Respond("object", "Objects to the wipe. An objection counts whoever records it; only the party takes it back.", ResponseAct.Objection),
        Respond("consent", "Has nothing against the wipe.", ResponseAct.Consent),
        Respond("withdraw", "Takes the party's own objections to these assets back.", ResponseAct.Withdrawal),
        Respond("accept", "Takes an image as it is, with what could not be read of the disk.", ResponseAct.Acceptance),
        Take(),
    };

    private static Command Respond(string verb, string description, ResponseAct act)
    {
        var command = new Command(verb, description) { NoticeFile, DocketOptions.Party, Notice, Assets, DocketOptions.Document, DocketOptions.Text, Output };
        if (act == ResponseAct.Acceptance)
            command.Options.Add(Image);
        Session.Bind(command, (session, parsed, _) =>
        {
            if (parsed.GetValue(NoticeFile) is { } file)
                Sign(session, parsed, act, file);
            else
                Record(session, parsed, act);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    /// <summary>On the party's own machine: signs, and writes the file to carry back.</summary>
    private static void Sign(Session session, ParseResult parsed, ResponseAct act, string file)
    {
        string path = parsed.GetValue(Output) ?? throw new EvidenceException(ErrorCode.Usage, "Say by --output which file is to be carried back.");
        if (parsed.GetValue(Notice) is not null)
            throw new EvidenceException(ErrorCode.Usage, "--notice goes with a vault; here the notice is in the file.");
        var carried = CarriedStatement.Read(file);
        string party = parsed.GetValue(DocketOptions.Party)!;
        if (carried.Statement is not NoticeStatement notice)
            throw new EvidenceException(ErrorCode.EntriesInvalid, $"{file} holds no notice, but an entry of the kind '{carried.Statement.Kind}'.");
        if (notice.Party != party)
            throw new EvidenceException(ErrorCode.Usage, $"The notice is to {notice.Party}, and not to {party}.");
        IReadOnlyList<string> assets = parsed.GetValue(Assets) is { } selector ? AssetSelector.Parse(selector).Names() : carried.Entry.Payload.Items;
        if (assets.FirstOrDefault(asset => !carried.Entry.Payload.Items.Contains(asset, StringComparer.Ordinal)) is { } stranger)
            throw new EvidenceException(ErrorCode.Usage, $"The notice is not about '{stranger}'.");
        Carry.Sign(
            session, assets,
            new ResponseStatement(act, party, notice.Origin, carried.Entry.LeafHash, ImageOf(parsed, act, null), parsed.GetValue(DocketOptions.Text), DocketOptions.DigestOf(parsed.GetValue(DocketOptions.Document))), path);
        session.Answer(
            () => new JsonObject { ["file"] = path, ["act"] = ResponseStatement.NameOf(act), ["notice"] = carried.Entry.LeafHash.ToString(), ["assets"] = DocketOptions.Strings(assets) },
            text =>
            {
                text.WriteLine($"{carried.Signer.Name} tells {party}, in the ledger {notice.Origin}: {notice.Words}");
                text.WriteLine($"  {DocketText.Window(notice.Window)}");
                text.WriteLine($"Signed by {session.Access.Actor}: {ResponseStatement.NameOf(act)}, about {DocketOptions.Names(assets)}. Carry {path} back, and keep a copy: it proves that you answered.");
            });
    }

    private static void Record(Session session, ParseResult parsed, ResponseAct act)
    {
        if (parsed.GetValue(Output) is not null)
            throw new EvidenceException(ErrorCode.Usage, "--output goes with the notice's file, on the party's own machine.");
        if (parsed.GetValue(Notice) is null && parsed.GetValue(Assets) is null)
            throw new EvidenceException(ErrorCode.Usage, "Say what it is about: --notice ENTRY, or --assets SELECTOR.");
        using Vault vault = session.OpenVault();
        var writer = new DocketWriter(vault);
        string party = parsed.GetValue(DocketOptions.Party)!;
        IReadOnlyList<string>? assets = DocketOptions.Resolve(parsed.GetValue(Assets), writer.Docket);
        Sha256Digest? image = ImageOf(parsed, act, vault);
        Sha256Digest? document = DocketOptions.Keep(vault, parsed.GetValue(DocketOptions.Document));
        IReadOnlyList<long> entries = writer.Answer(
            assets, parsed.GetValue(Notice), (origin, notice) => new ResponseStatement(act, party, origin, notice, image, parsed.GetValue(DocketOptions.Text), document));
        session.Answer(entries, json => json["act"] = ResponseStatement.NameOf(act), text =>
        {
            if (act is not (ResponseAct.Objection or ResponseAct.Acknowledgement) && document is null)
                text.WriteLine($"  It names no paper: it counts only where {session.Access.Actor} signs with the key of {party}.");
        });
    }

    private static Command Take()
    {
        var command = new Command("take", "Takes an answer into the ledger that a party signed on a machine of its own.") { Carry.File, Carry.Document };
        Session.Bind(command, (session, parsed, _) =>
        {
            Carry.Take(session, parsed, "answer", statement => statement is ResponseStatement response ? (true, response.Document) : (false, null));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Sha256Digest? ImageOf(ParseResult parsed, ResponseAct act, Vault? vault)
    {
        if (act != ResponseAct.Acceptance)
            return null;
        string name = parsed.GetValue(Image)!;
        return vault is not null ? vault.FindImage(name).Image
            : name.StartsWith("sha256:", StringComparison.Ordinal) && Sha256Digest.TryParse(name["sha256:".Length..], out Sha256Digest digest) ? digest
            : throw new EvidenceException(ErrorCode.Usage, $"'{name}' is no image's id: without the vault, write sha256: and its 64 digits.");
    }
}
