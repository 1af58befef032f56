using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ImagesCommand
{
    internal static Command Build()
    {
        var command = new Command("images", "Lists the images in the vault, as the ledger names them.");
        Session.Bind(command, (session, _, _) =>
        {
            using Vault vault = session.OpenVault();
            IReadOnlyList<ImageRecord> images = vault.Images();
            session.Answer(
                () => new JsonObject { ["images"] = new JsonArray([.. images.Select(ToJson)]) },
                text =>
                {
                    if (images.Count == 0)
                    {
                        text.WriteLine($"There are no images in {vault.Folder} yet. 'evidence acquire SOURCE' makes one.");
                        return;
                    }

                    int wide = Math.Max(4, images.Max(i => i.Item.Length));
                    text.WriteLine($"{"ITEM".PadRight(wide)}  {"IMAGE",-23}  {"SIZE",10}  {"TAKEN (UTC)",-20}  {"",-4}  CASE");
                    foreach (ImageRecord image in images)
                        text.WriteLine($"{image.Item.PadRight(wide)}  sha256:{image.Image.ToString()[..16]}  {Units.Size(image.Size),10}  {image.Time,-20}  {(image.IsLive == true ? "live" : ""),-4}  {image.Case}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static JsonObject ToJson(ImageRecord image) => new()
    {
        ["item"] = image.Item,
        ["case"] = image.Case,
        ["image"] = $"sha256:{image.Image}",
        ["root"] = image.Root.ToString(),
        ["size"] = DecimalText.Format(image.Size),
        ["live"] = image.IsLive,
        ["verified"] = image.Verified,
        ["time"] = Timestamps.Format(image.Time),
        ["entry"] = DecimalText.Format(image.Entry),
    };
}
